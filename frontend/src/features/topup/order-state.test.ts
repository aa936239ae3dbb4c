import { describe, expect, it } from "vitest"
import type { Order } from "../../api/types"
import { hasReceipt, isQuiet, pollPause, situationOf } from "./order-state"

const MADE = Date.parse("2026-11-23T01:00:00Z")

function order(changes: Partial<Order>): Order {
  return {
    id: "0",
    status: "pending",
    reason: null,
    method: "card",
    package: null,
    currency: "USD",
    exponent: 2,
    amount: 1000,
    fee: 0,
    total: 1000,
    quota: 10,
    bonus_quota: 0,
    paid_amount: null,
    paid_currency: null,
    credited_quota: 0,
    refunded_amount: 0,
    taken_quota: 0,
    reference: null,
    trade_number: null,
    created_at: new Date(MADE).toISOString(),
    expires_at: new Date(MADE + 3_600_000).toISOString(),
    paid_at: null,
    next: null,
    ...changes,
  }
}

describe("an order", () => {
  it("tells a cancelled one from one that expired, and a partial refund from a whole one", () => {
    expect(situationOf(order({ status: "expired" }))).toBe("expired")
    expect(situationOf(order({ status: "expired", reason: "cancelled" }))).toBe("cancelled")
    expect(situationOf(order({ status: "paid" }))).toBe("credited")
    expect(situationOf(order({ status: "paid", refunded_amount: 5 }))).toBe("partly_refunded")
    expect(situationOf(order({ status: "refunded", refunded_amount: 1000 }))).toBe("refunded")
  })

  it("is looked at often at first, then less, and not at all once credited", () => {
    const pauses = [0, 120_000, 3_600_000].map((age) => pollPause(order({}), MADE + age))
    expect(pauses).toEqual([1_500, 4_000, 15_000])
    expect(pollPause(order({ status: "review" }), MADE)).toBe(30_000)
    expect(pollPause(order({ status: "paid" }), MADE)).toBe(false)
  })

  it("has a receipt only when something was credited for it", () => {
    expect(hasReceipt(order({ paid_at: "2026-11-23T01:00:00Z", credited_quota: 10 }))).toBe(true)
    expect(hasReceipt(order({ status: "review", paid_at: "2026-11-23T01:00:00Z" }))).toBe(false)
  })

  it("is quiet after half a minute", () => {
    expect(isQuiet(MADE, MADE + 29_000)).toBe(false)
    expect(isQuiet(MADE, MADE + 31_000)).toBe(true)
  })
})
