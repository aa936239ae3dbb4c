import { expect, test } from "vitest"
import { isNarrowed, readUsageSearch } from "./search"

test("what the address may hold is read, the rest is left out", () => {
  expect(readUsageSearch({ span: "30d", model: "demo-small", state: "failed", page: 3 })).toEqual({
    span: "30d",
    model: "demo-small",
    state: "failed",
  })
  expect(readUsageSearch({ span: "forever", state: "lost", model: "" })).toEqual({})
})

test("a model or an id that looks like a number stays what it was", () => {
  expect(readUsageSearch({ model: 4, q: 190 })).toEqual({ model: "4", q: "190" })
})

test("days belong to chosen days only, and must be days", () => {
  expect(readUsageSearch({ span: "custom", from: "2026-11-10", to: "2026-13-40" })).toEqual({
    span: "custom",
    from: "2026-11-10",
  })
  expect(readUsageSearch({ span: "7d", from: "2026-11-10" })).toEqual({ span: "7d" })
})

test("a span alone does not narrow the log", () => {
  expect(isNarrowed({ span: "30d", receipt: "x" })).toBe(false)
  expect(isNarrowed({ key: "k" })).toBe(true)
})
