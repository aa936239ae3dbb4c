import { expect, test } from "vitest"
import { EMPTY, inputOf, mistakes } from "./key-fields"

const UNIT = 1_000_000_000
const NOW = Date.parse("2026-11-22T12:00:00Z")

test("a name is all that a key needs", () => {
  expect(mistakes({ ...EMPTY, name: " docs " }, UNIT, NOW)).toEqual([])
  expect(inputOf({ ...EMPTY, name: " docs " }, UNIT)).toEqual({
    name: "docs",
    budgets: [],
    spend_limit: null,
    expires_at: null,
    models: null,
    fallback_models: null,
    group: null,
    allowed_ips: null,
    rate_limits: null,
  })
})

test("every mistake is named by its field", () => {
  const wrong = {
    ...EMPTY,
    limit: "twenty",
    expires: "2026-11-20T00:00",
    rates: { ...EMPTY.rates, concurrency: "1.5" },
  }
  expect(mistakes(wrong, UNIT, NOW)).toEqual(["name", "limit", "expires", "rates"])
})

test("an expiry that has passed may stay when a key is edited", () => {
  expect(
    mistakes({ ...EMPTY, name: "old", expires: "2026-11-20T00:00" }, UNIT, NOW, "2026-11-20T00:00"),
  ).toEqual([])
})

test("addresses are read from lines, commas or spaces", () => {
  const input = inputOf({ ...EMPTY, name: "k", addresses: "10.0.0.0/8, 192.0.2.1\n2001:db8::/32" }, UNIT)
  expect(input.allowed_ips).toEqual(["10.0.0.0/8", "192.0.2.1", "2001:db8::/32"])
})

test("a limit is exact quota", () => {
  expect(inputOf({ ...EMPTY, name: "k", limit: "20.000000001" }, UNIT).spend_limit).toBe(20_000_000_001)
})

test("a budget is exact quota, an empty one is none, and a wrong one is named", () => {
  const budgets = { day: "1.5", week: "", month: "30" }
  expect(inputOf({ ...EMPTY, name: "k", budgets }, UNIT).budgets).toEqual([
    { period: "day", limit: 1_500_000_000 },
    { period: "month", limit: 30_000_000_000 },
  ])
  expect(mistakes({ ...EMPTY, name: "k", budgets: { ...budgets, week: "much" } }, UNIT, NOW)).toEqual([
    "week",
  ])
})

test("fallback models keep their order", () => {
  const input = inputOf({ ...EMPTY, name: "k", fallbacks: "zeta\nalpha, beta" }, UNIT)
  expect(input.fallback_models).toEqual(["zeta", "alpha", "beta"])
})
