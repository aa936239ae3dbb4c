import { describe, expect, it } from "vitest"
import type { PaymentMethod, Processor } from "../../api/types"
import { configFields, exponentOf, fieldsOf, NEW, parsePercent, percentText, read } from "./method-fields"

const UNIT = 1_000_000_000
const METHOD: PaymentMethod = {
  id: "card",
  processor: "stripe",
  label: "Card",
  text: "",
  currency: "EUR",
  exponent: 2,
  quota_per_minor_unit: 10_800_000,
  minimum: 500,
  maximum: null,
  custom_amount: true,
  packages: [
    { id: "small", label: "Small", amount: 1000, quota: null, bonus_quota: 5_000_000, groups: null },
  ],
  bonus_tiers: [{ minimum: 5000, bonus_micros: 50_000, bonus_quota: 0, groups: ["vip"] }],
  fee: { fixed: 30, micros: 29_000 },
  groups: null,
  order_minutes: null,
  config: { payment_method_types: ["card", "link"] },
  secrets: [],
  enabled: true,
  off_because: null,
  webhook_url: null,
  position: 0,
  created_at: "2026-01-01T00:00:00Z",
  updated_at: "2026-01-01T00:00:00Z",
}
const PROCESSOR = {
  name: "stripe",
  has_webhook: true,
  can_ask: true,
  can_refund: true,
  secrets: ["api_key"],
  config: {
    $ref: "#/$defs/C",
    $defs: {
      C: {
        properties: {
          payment_method_types: { type: "array", default: [] },
          way: { enum: ["a", "b"], default: "a" },
          pid: { type: "string" },
          details: { type: "object", default: { Bank: "One" } },
        },
        required: ["pid"],
      },
    },
  },
} as unknown as Processor

describe("a payment method as a form", () => {
  it("comes back as it was", () => {
    const { draft } = read(fieldsOf(METHOD, UNIT), [], UNIT)
    expect(draft).toMatchObject({
      quota_per_minor_unit: 10_800_000,
      minimum: 500,
      maximum: null,
      fee: { fixed: 30, micros: 29_000 },
      packages: [{ id: "small", amount: 1000, quota: null, bonus_quota: 5_000_000 }],
      bonus_tiers: [{ minimum: 5000, bonus_micros: 50_000, bonus_quota: 0, groups: ["vip"] }],
    })
  })

  it("reads the configuration from the processor's schema", () => {
    const fields = configFields(PROCESSOR)
    expect(fields.map(({ name, kind, isRequired }) => [name, kind, isRequired])).toEqual([
      ["payment_method_types", "list", false],
      ["way", "choice", false],
      ["pid", "text", true],
      ["details", "pairs", false],
    ])
    const typed = { ...fieldsOf(METHOD, UNIT), config: { pid: " 7 ", details: "Bank = One\nIBAN = DE = 1" } }
    expect(read(typed, fields, UNIT).draft?.config).toEqual({
      pid: "7",
      details: { Bank: "One", IBAN: "DE = 1" },
    })
  })

  it("names what cannot be meant", () => {
    const typed = {
      ...NEW,
      id: "No Slug",
      rate: "0.001",
      minimum: "1.234",
      feePercent: "x",
      packages: [{ label: "", amount: "5" }],
    }
    expect(Object.keys(read(typed, configFields(PROCESSOR), UNIT).wrong ?? {}).sort()).toEqual(
      ["config.pid", "feePercent", "id", "label", "minimum", "packages.0"].sort(),
    )
    expect(read({ ...typed, rate: "0.000000001" }, [], UNIT).wrong).toHaveProperty("rate")
  })

  it("keeps shares exact", () => {
    for (const micros of [0, 1, 29_000, 1_000_000, 123_456])
      expect(parsePercent(percentText(micros))).toBe(micros)
    expect(percentText(29_000)).toBe("2.9")
    expect(parsePercent("2.99999")).toBeNull()
  })

  it("knows the places of a currency", () => {
    expect([exponentOf("USD"), exponentOf("JPY"), exponentOf("KWD")]).toEqual([2, 0, 3])
  })
})
