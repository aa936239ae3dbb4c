import { expect, test } from "vitest"
import type { Margin } from "../../api/types"
import { coveredShare, cut, marginShare } from "./figures"

const row = (charged: string, covered: string, cost: string, margin: string): Margin => ({
  key: "",
  label: null,
  requests: 2,
  covered_requests: 1,
  charged,
  covered,
  provider_cost: cost,
  margin,
})

test("shares are of what is known, and of nothing there is none", () => {
  const some = row("100", "80", "60", "20")
  expect([coveredShare(some), marginShare(some)]).toEqual([800_000, 250_000])
  expect(cut(some)).toEqual([60n, 20n, 20n])
  const nothing = row("0", "0", "5", "-5")
  expect([coveredShare(nothing), marginShare(nothing)]).toEqual([null, null])
})

test("a loss fills the covered part and goes no further", () => {
  const loss = row("100", "80", "90", "-10")
  expect(cut(loss)).toEqual([80n, 0n, 20n])
  expect(marginShare(loss)).toBe(-125_000)
})
