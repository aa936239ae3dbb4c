import { expect, test } from "vitest"
import type { Receipt } from "../../api/types"
import { type ReceiptWords, receiptText } from "./receipt-text"

const UNIT = 1_000_000_000

const RECEIPT: Receipt = {
  request_id: "0190f3c2-71aa-7e11-b8aa-01f2a9d0c001",
  created_at: "2026-11-22T13:29:31Z",
  model: "demo-large",
  key_id: "0190f3c2-71aa-7e11-b8aa-01f2a9d0c002",
  key_kind: "standard",
  status: "ok",
  usage: { input: 6144, cached_input: 12288, output: 1207, request: 1 },
  usage_source: "provider",
  cost: 26_001_600,
  charged: 26_001_600,
  latency_ms: 15_863,
  first_token_ms: 968,
  is_streaming: true,
  lines: [
    { meter: "input", quantity: 6144, rate: 2_500_000_000, per: 1_000_000, amount: "15360000" },
    { meter: "cached_input", quantity: 12_288, rate: 250_000_000, per: 1_000_000, amount: "3072000" },
    { meter: "output", quantity: 1207, rate: 10_000_000_000, per: 1_000_000, amount: "12070000" },
    { meter: "request", quantity: 1, rate: 2_000_000, per: 1, amount: "2000000" },
  ],
  subtotal: "32502000",
  multiplier_micros: 800_000,
  rate_card_id: "0190f3c2-71aa-7e11-b8aa-01f2a9d0c003",
  group: "team",
  endpoint: "chat.completions",
  service_tier: null,
  client_request_id: null,
  unpriced: [],
  attempts: null,
  provider_cost: null,
  requested_model: null,
}

const WORDS: ReceiptWords = {
  title: "Receipt",
  meter: (name) => name,
  subtotal: "Subtotal",
  group: (name) => `Group ${name}`,
  total: "Total",
  charged: "Charged",
  each: "each",
  facts: [
    ["Model", "demo-large"],
    ["When", "today"],
  ],
}

test("a receipt as text has every line, exact and aligned, and says what was charged", () => {
  expect(receiptText(RECEIPT, UNIT, "USD", WORDS)).toBe(
    [
      "Receipt 0190f3c2-71aa-7e11-b8aa-01f2a9d0c001",
      "Model  demo-large",
      "When   today",
      "",
      "input          6,144 × 2.50 / 1M   0.0153600",
      "cached_input  12,288 × 0.25 / 1M   0.0030720",
      "output        1,207 × 10.00 / 1M   0.0120700",
      "request           1 × 0.002 each   0.0020000",
      "Subtotal                           0.0325020",
      "Group team                  ×0.8  −0.0065004",
      "Total                              0.0260016",
      "",
      "Charged: USD 0.0260016",
    ].join("\n"),
  )
})

test("where the operator bore a part, the text says what left the wallet", () => {
  const text = receiptText({ ...RECEIPT, charged: 20_000_000 }, UNIT, "USD", WORDS)
  expect(text).toMatch(/Total +0\.0260016\nCharged +0\.0200000\n\nCharged: USD 0\.02$/)
})
