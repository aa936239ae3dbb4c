// How long the balance lasts at the pace of the last days. Nothing is said before there is a whole day to go by.
import { type DayCost, sumOf } from "./days"

const WEEK = 7

export type Runway = {
  /** Quota a day. */
  pace: bigint
  /** Whole days that went into the pace. */
  basis: number
  /** Days from now until nothing is left; the fast and slow ones by the dearest and the cheapest week, where known. */
  days: number
  fast: number | null
  slow: number | null
}

function daysAt(balance: bigint, spent: bigint, over: number): number {
  return Number((balance * BigInt(over)) / spent)
}

/** `days` ends with today, which is not over and so is no measure. Null where nothing was spent. */
export function runwayOf(balance: bigint, days: DayCost[]): Runway | null {
  const whole = days.slice(0, -1)
  const first = whole.findIndex(({ charged }) => charged > 0n)
  if (first < 0 || balance <= 0n) return null
  const known = whole.slice(first)
  const basis = Math.min(WEEK, known.length)
  const spent = sumOf(known.slice(-basis))
  if (spent === 0n) return null
  const weeks = Array.from({ length: Math.max(0, known.length - WEEK + 1) }, (_, at) =>
    sumOf(known.slice(at, at + WEEK)),
  )
    .filter((week) => week > 0n)
    .sort((a, b) => (a < b ? -1 : 1))
  // Two weeks must have passed before the spread of weeks says anything.
  const [cheapest, dearest] = known.length >= 2 * WEEK ? [weeks[0], weeks.at(-1)] : []
  return {
    pace: spent / BigInt(basis),
    basis,
    days: daysAt(balance, spent, basis),
    fast: dearest ? daysAt(balance, dearest, WEEK) : null,
    slow: cheapest ? daysAt(balance, cheapest, WEEK) : null,
  }
}
