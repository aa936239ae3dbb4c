import { expect, test } from "vitest"
import { dearest, sharesOf } from "./shares"

const item = (key: string, charged: number, requests = 1) => ({
  key,
  charged,
  cost: charged,
  requests,
  usage: {},
})

test("the largest comes first and the bars compare with it", () => {
  expect(
    sharesOf([item("small", 25), item("large", 100)], 6).map(({ key, percent }) => [key, percent]),
  ).toEqual([
    ["large", 100],
    ["small", 25],
  ])
})

test("the small ones become one line, so that the lines still add up", () => {
  const items = [1, 2, 3, 4, 5].map((charged) => item(`m${charged}`, charged, charged))
  const lines = sharesOf(items, 3)
  expect(lines.map(({ key, charged, count }) => [key, charged, count])).toEqual([
    ["m5", 5n, 1],
    ["m4", 4n, 1],
    [null, 6n, 3],
  ])
  expect(lines.reduce((sum, line) => sum + line.requests, 0n)).toBe(15n)
})

test("a model that cost nothing is no part of a stack", () => {
  expect(dearest([item("a", 3), item("free", 0), item("b", 5)])).toEqual({
    names: ["b", "a"],
    hasOther: false,
  })
  expect(dearest([1, 2, 3, 4].map((cost) => item(`m${cost}`, cost)))).toEqual({
    names: ["m4", "m3", "m2"],
    hasOther: true,
  })
})
