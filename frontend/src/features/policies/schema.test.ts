import { expect, test } from "vitest"
import { fieldsOf, meaningOf, type PolicyField, rawOf } from "./schema"

const UNIT = 1_000_000_000
const [mode, verify, domains, grant, limit, factor, links, text] = fieldsOf({
  mode: { enum: ["closed", "open"], default: "closed" },
  verify_email: { type: "boolean", default: false },
  allowed_domains: { type: "array", items: { type: "string" }, default: [] },
  welcome_grant: { type: "integer", minimum: 0, maximum: Number.MAX_SAFE_INTEGER, default: 0 },
  referrals_max: { anyOf: [{ type: "integer", minimum: 1, maximum: 10 }, { type: "null" }], default: null },
  factor_micros: { type: "integer", minimum: 1, default: 1_000_000 },
  links: { type: "object", default: {} },
  seller: { type: "string", maxLength: 2000, default: "" },
}) as [PolicyField, PolicyField, PolicyField, PolicyField, PolicyField, PolicyField, PolicyField, PolicyField]

test("what the API says of a field decides how it is drawn", () => {
  expect([mode, verify, domains, grant, limit, factor, links, text].map(({ kind }) => kind)).toEqual([
    "choice",
    "switch",
    "lines",
    "amount",
    "whole",
    "factor",
    "pairs",
    "long",
  ])
  expect(limit.isOptional).toBe(true)
})

test("a value survives being shown and read again", () => {
  const pairs: [PolicyField, Parameters<typeof rawOf>[1]][] = [
    [mode, "open"],
    [verify, true],
    [domains, ["a.example", "b.example"]],
    [grant, 1_500_000_001],
    [limit, null],
    [limit, 7],
    [factor, 7_200_000],
    [links, { Terms: "https://example.com/?a=b" }],
    [text, "two\nlines"],
  ]
  for (const [field, value] of pairs) expect(meaningOf(field, rawOf(field, value, UNIT), UNIT)).toEqual(value)
})

test("what means no value is told from an empty one", () => {
  expect(meaningOf(limit, "", UNIT)).toBeNull()
  for (const raw of ["11", "0", "-1", "1.5", "x"]) expect(meaningOf(limit, raw, UNIT)).toBeUndefined()
  expect(meaningOf(grant, "", UNIT)).toBeUndefined()
  expect(meaningOf(links, "Terms", UNIT)).toBeUndefined()
})
