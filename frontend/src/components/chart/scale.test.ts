import { expect, test } from "vitest"
import { labelled, largest, lengthOf, ticks } from "./scale"

test("a scale has round steps and reaches the largest value", () => {
  expect(ticks(7_097_496_000n)).toEqual([0n, 2_000_000_000n, 4_000_000_000n, 6_000_000_000n, 8_000_000_000n])
  expect(ticks(850n)).toEqual([0n, 250n, 500n, 750n, 1000n])
  for (const most of [1n, 9n, 10n, 999n, 1_000_001n, 123_456_789_012_345n]) {
    const marks = ticks(most)
    expect((marks.at(-1) ?? 0n) >= most).toBe(true)
    expect(marks.length).toBeLessThanOrEqual(6)
  }
})

test("nothing at all still has a scale", () => {
  expect(ticks(0n)).toEqual([0n, 1n])
  expect(largest([])).toBe(0n)
})

test("labels end at the last column and keep their distance", () => {
  expect(labelled(30, 5)).toEqual([5, 11, 17, 23, 29])
  expect(labelled(7, 5)).toEqual([0, 2, 4, 6])
  expect(labelled(1, 5)).toEqual([0])
})

test("amounts beyond the safe integers keep their proportion", () => {
  expect(lengthOf(9_007_199_254_740_993_000n, 18_014_398_509_481_986_000n, 208)).toBe(104)
})
