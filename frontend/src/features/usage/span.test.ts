import { expect, test } from "vitest"
import { holdsNow, instantsOf } from "./span"

const now = new Date(2026, 10, 22, 14, 30).getTime()
const at = (day: number) => new Date(2026, 10, day).toISOString()

test("the last seven days begin at midnight six days ago and are open at the end", () => {
  expect(instantsOf({}, now)).toEqual({ from: at(16) })
})

test("today and yesterday part at midnight", () => {
  expect(instantsOf({ span: "today" }, now)).toEqual({ from: at(22) })
  expect(instantsOf({ span: "yesterday" }, now)).toEqual({ from: at(21), to: at(22) })
})

test("chosen days are both included", () => {
  expect(instantsOf({ span: "custom", from: "2026-11-10", to: "2026-11-12" }, now)).toEqual({
    from: at(10),
    to: at(13),
  })
  expect(instantsOf({ span: "custom" }, now)).toEqual({})
})

test("only a span that is still open can get new calls", () => {
  expect(holdsNow(instantsOf({}, now), now)).toBe(true)
  expect(holdsNow(instantsOf({ span: "yesterday" }, now), now)).toBe(false)
})
