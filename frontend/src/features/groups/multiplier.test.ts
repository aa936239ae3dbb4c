import { expect, test } from "vitest"
import { parseMultiplier } from "./multiplier"

test("a multiplier is exact millionths", () => {
  expect(parseMultiplier("1.5")).toBe(1_500_000)
  expect(parseMultiplier("×0.333333")).toBe(333_333)
  expect(parseMultiplier("2")).toBe(2_000_000)
})

test("what is no multiplier is not guessed", () => {
  for (const text of ["", "-1", "1.0000001", "half", "1."]) expect(parseMultiplier(text)).toBeNull()
})
