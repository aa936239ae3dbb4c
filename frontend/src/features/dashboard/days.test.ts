import { expect, test } from "vitest"
import { dayCosts, dayOf, daysBack, sumOf } from "./days"

const now = new Date(2026, 10, 2, 0, 30).getTime()
const item = (key: string, charged: number, requests = 1) => ({
  key,
  charged,
  cost: charged,
  requests,
  usage: {},
})

test("days are those of the reader's calendar, over the end of a month too", () => {
  expect([dayOf(now), dayOf(now, 1), dayOf(now, 2), dayOf(now, -1)]).toEqual([
    "2026-11-02",
    "2026-11-01",
    "2026-10-31",
    "2026-11-03",
  ])
  expect(daysBack(now, 3)).toBe(new Date(2026, 9, 31).toISOString())
})

test("days without a call stand in the line, and what lies outside does not", () => {
  const days = dayCosts([item("2026-11-02", 5), item("2026-10-31", 7, 3), item("2026-09-01", 9)], now, 3)
  expect(days.map(({ day, charged }) => [day, charged])).toEqual([
    ["2026-10-31", 7n],
    ["2026-11-01", 0n],
    ["2026-11-02", 5n],
  ])
  expect(sumOf(days)).toBe(12n)
})
