import { expect, test } from "vitest"
import type { DayCost } from "./days"
import { runwayOf } from "./runway"

/** The last one is today. */
function line(...charged: number[]): DayCost[] {
  return charged.map((cost, index) => ({ day: String(index), charged: BigInt(cost), requests: 1n }))
}

test("without a whole day of spending there is no run-way", () => {
  expect(runwayOf(100n, line(0, 0, 0, 50))).toBeNull()
  expect(runwayOf(100n, [])).toBeNull()
  expect(runwayOf(0n, line(5, 5, 5))).toBeNull()
})

test("an account that stopped calling has no pace", () => {
  expect(runwayOf(100n, line(9, 0, 0, 0, 0, 0, 0, 0, 0))).toBeNull()
})

test("a young account goes by the days it has, not by seven", () => {
  expect(runwayOf(100n, line(0, 0, 0, 10, 10, 3))).toEqual({
    pace: 10n,
    basis: 2,
    days: 10,
    fast: null,
    slow: null,
  })
})

test("the pace is that of the last seven whole days; today does not count", () => {
  const runway = runwayOf(700n, line(1000, 10, 10, 10, 10, 10, 10, 10, 999))
  expect(runway).toMatchObject({ pace: 10n, basis: 7, days: 70 })
})

test("with two weeks behind it the dearest and the cheapest week give the spread", () => {
  const runway = runwayOf(1400n, line(...Array(7).fill(20), ...Array(7).fill(10), 0))
  expect(runway).toEqual({ pace: 10n, basis: 7, days: 140, fast: 70, slow: 140 })
})
