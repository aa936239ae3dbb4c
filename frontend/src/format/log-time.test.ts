import { expect, test } from "vitest"
import { clockAndDay, dayLabel, logTime } from "./log-time"

const now = new Date(2026, 10, 22, 14, 30, 0).getTime()
const at = (...parts: [number, number, number, number, number]) => new Date(2026, ...parts).toISOString()

test("within the hour a log says how long ago, then the clock, then the day as well", () => {
  expect(logTime(at(10, 22, 14, 26, 10), now, "en")).toEqual({ time: "3 min. ago", day: null })
  expect(logTime(at(10, 22, 9, 5, 7), now, "en")).toEqual({ time: "09:05:07", day: null })
  expect(logTime(at(10, 20, 23, 5, 7), now, "en")).toEqual({ time: "23:05:07", day: "20 Nov" })
})

test("a clock that is a little behind the server's does not speak of the future", () => {
  expect(logTime(new Date(now + 4000).toISOString(), now, "en").time).toBe("now")
})

test("a receipt names today and yesterday", () => {
  expect(clockAndDay(at(10, 22, 9, 5, 7), now, "en")).toBe("09:05:07, today")
  expect(clockAndDay(at(10, 21, 23, 59, 0), now, "en")).toBe("23:59:00, yesterday")
  expect(clockAndDay(at(9, 1, 1, 0, 0), now, "zh")).toBe("10月1日 01:00:00")
})

test("a day carries its year only where it is another one", () => {
  expect(dayLabel("2026-11-22", "en", { hasWeekday: true, year: 2026 })).toBe("Sun 22 Nov")
  expect(dayLabel("2027-07-12", "en", { year: 2026 })).toBe("12 Jul 2027")
})
