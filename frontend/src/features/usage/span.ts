// A span of days as two instants in the reader's zone: `from` belongs to it, `to` does not.
import type { UsageSearch } from "./search"

export const DEFAULT_SPAN = "7d"

export type Instants = { from?: string; to?: string }

const DAYS = { "7d": 7, "30d": 30, "90d": 90 }

/** Midnight of the day `ahead` days after the one that holds `at`; right over a change of clocks too. */
export function midnight(at: Date, ahead = 0): Date {
  return new Date(at.getFullYear(), at.getMonth(), at.getDate() + ahead)
}

function dayStart(day: string, ahead = 0): string {
  const [year = 0, month = 1, date = 1] = day.split("-").map(Number)
  return new Date(year, month - 1, date + ahead).toISOString()
}

export function instantsOf(search: UsageSearch, now: number): Instants {
  const span = search.span ?? DEFAULT_SPAN
  const today = new Date(now)
  if (span === "today") return { from: midnight(today).toISOString() }
  if (span === "yesterday")
    return { from: midnight(today, -1).toISOString(), to: midnight(today).toISOString() }
  if (span !== "custom") return { from: midnight(today, 1 - DAYS[span]).toISOString() }
  return {
    ...(search.from && { from: dayStart(search.from) }),
    ...(search.to && { to: dayStart(search.to, 1) }),
  }
}

/** Whether a call made now would belong to it. */
export function holdsNow({ to }: Instants, now: number): boolean {
  return to === undefined || Date.parse(to) > now
}
