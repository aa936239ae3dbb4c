// Days of the reader's calendar, and what each cost: the days without a call stand in the line too.
import type { Summary } from "../../api/types"

export const LONGEST = 90

export type DayCost = { day: string; charged: bigint; requests: bigint }

/** "2026-11-22": the day at the reader's, `ago` days before the one that holds `now`. */
export function dayOf(now: number, ago = 0): string {
  const date = new Date(now)
  const day = new Date(date.getFullYear(), date.getMonth(), date.getDate() - ago, 12)
  const two = (part: number) => String(part).padStart(2, "0")
  return `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}`
}

/** The instant at which the first of `days` days began, today being the last. */
export function daysBack(now: number, days: number): string {
  const date = new Date(now)
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() - days + 1).toISOString()
}

/** The last `days` days, oldest first, today last. */
export function dayCosts(items: Summary["items"], now: number, days: number): DayCost[] {
  const line = Array.from({ length: days }, (_, index) => ({
    day: dayOf(now, days - 1 - index),
    charged: 0n,
    requests: 0n,
  }))
  const byDay = new Map(line.map((cost) => [cost.day, cost]))
  for (const item of items) {
    const cost = byDay.get(item.key.slice(0, 10))
    if (!cost) continue
    cost.charged += BigInt(item.charged)
    cost.requests += BigInt(item.requests)
  }
  return line
}

export function sumOf(days: DayCost[]): bigint {
  return days.reduce((sum, { charged }) => sum + charged, 0n)
}
