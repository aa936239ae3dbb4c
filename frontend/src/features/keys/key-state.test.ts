import { expect, test } from "vitest"
import { budgetPercent, keyState, spentPercent } from "./key-state"

const NOW = Date.parse("2026-11-22T12:00:00Z")
const key = {
  status: "active" as const,
  expires_at: null,
  spend_limit: 100,
  spent: 10,
  remaining: 90,
  budgets: [],
}

test("a key with room is active", () => {
  expect(keyState(key, NOW)).toBe("active")
})

test("a key that is switched off is off, whatever it has left", () => {
  expect(keyState({ ...key, status: "disabled", remaining: 0 }, NOW)).toBe("disabled")
})

test("a key expires at its moment, not after it", () => {
  expect(keyState({ ...key, expires_at: "2026-11-22T12:00:00Z" }, NOW)).toBe("expired")
  expect(keyState({ ...key, expires_at: "2026-11-22T12:00:01Z" }, NOW)).toBe("active")
})

test("a key with nothing remaining has reached its limit", () => {
  expect(keyState({ ...key, spent: 100, remaining: 0 }, NOW)).toBe("limit")
})

test("a key without a limit is never near it", () => {
  expect(keyState({ ...key, spend_limit: null, remaining: null, spent: 10 ** 15 }, NOW)).toBe("active")
})

test("the share of a large limit is exact", () => {
  expect(spentPercent({ spend_limit: 9_007_199_254_740_991, spent: 8_106_479_329_266_891 })).toBe(89)
  expect(keyState({ ...key, spend_limit: 100, spent: 90, remaining: 10 }, NOW)).toBe("near")
})

test("a budget that is used up stops a key, and one that nearly is warns", () => {
  const day = { period: "day" as const, limit: 50, spent: 50, resets_at: null }
  expect(keyState({ ...key, remaining: 0, budgets: [day] }, NOW)).toBe("limit")
  expect(keyState({ ...key, remaining: 5, budgets: [{ ...day, spent: 45 }] }, NOW)).toBe("near")
  expect(budgetPercent({ spent: 1, limit: 0 })).toBe(100)
})
