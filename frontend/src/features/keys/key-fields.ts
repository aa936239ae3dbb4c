// A key as a form holds it: text, checked into what the API takes.
import type { Key, KeyInput } from "../../api/types"
import { amountInput, parseAmount } from "../../format/quota"
import { type RateTexts, rateLimitsOf, rateTexts } from "../../format/rate-limits"
import { fromLocalInput, toLocalInput } from "../../format/time"

export const PERIODS = ["day", "week", "month"] as const
export type Period = (typeof PERIODS)[number]

export type Fields = {
  name: string
  limit: string
  /** What it may spend each period; empty: as much as it likes. */
  budgets: Record<Period, string>
  expires: string
  models: string[]
  /** One a line, in the order in which they are asked. */
  fallbacks: string
  group: string
  addresses: string
  rates: RateTexts
}
export type FieldError = "name" | "limit" | Period | "expires" | "rates"

export const EMPTY: Fields = {
  name: "",
  limit: "",
  budgets: { day: "", week: "", month: "" },
  expires: "",
  models: [],
  fallbacks: "",
  group: "",
  addresses: "",
  rates: rateTexts(),
}

export function fieldsOf(key: Key, unit: number): Fields {
  const budgets = { ...EMPTY.budgets }
  for (const { period, limit } of key.budgets)
    if (period !== "total") budgets[period] = amountInput(limit, unit)
  return {
    name: key.name,
    limit: key.spend_limit == null ? "" : amountInput(key.spend_limit, unit),
    budgets,
    expires: key.expires_at == null ? "" : toLocalInput(key.expires_at),
    models: key.models ?? [],
    fallbacks: (key.fallback_models ?? []).join("\n"),
    group: key.group ?? "",
    addresses: (key.allowed_ips ?? []).join("\n"),
    rates: rateTexts(key.rate_limits),
  }
}

function isAmount(text: string, unit: number): boolean {
  return text.trim() === "" || (parseAmount(text, unit) ?? -1) >= 0
}

/** What is wrong, by field; nothing when it may be sent. `unchanged` is the expiry that an edited key already had. */
export function mistakes(fields: Fields, unit: number, now: number, unchanged = ""): FieldError[] {
  const expires = fromLocalInput(fields.expires)
  const wrong: [FieldError, boolean][] = [
    ["name", fields.name.trim() === ""],
    ["limit", !isAmount(fields.limit, unit)],
    ...PERIODS.map((period): [FieldError, boolean] => [period, !isAmount(fields.budgets[period], unit)]),
    ["expires", expires !== null && fields.expires !== unchanged && Date.parse(expires) <= now],
    ["rates", rateLimitsOf(fields.rates) === undefined],
  ]
  return wrong.filter(([, isWrong]) => isWrong).map(([name]) => name)
}

/** The body for POST and PATCH: empty means "no limit of its own", said as null. */
export function inputOf(fields: Fields, unit: number): KeyInput {
  const fallbacks = fields.fallbacks.split(/[\s,;]+/).filter(Boolean)
  const addresses = fields.addresses.split(/[\s,;]+/).filter(Boolean)
  return {
    name: fields.name.trim(),
    budgets: PERIODS.flatMap((period) => {
      const limit = fields.budgets[period].trim() === "" ? null : parseAmount(fields.budgets[period], unit)
      return limit === null ? [] : [{ period, limit }]
    }),
    spend_limit: fields.limit.trim() === "" ? null : parseAmount(fields.limit, unit),
    expires_at: fromLocalInput(fields.expires),
    models: fields.models.length > 0 ? fields.models : null,
    fallback_models: fallbacks.length > 0 ? fallbacks : null,
    group: fields.group || null,
    allowed_ips: addresses.length > 0 ? addresses : null,
    rate_limits: rateLimitsOf(fields.rates) ?? null,
  }
}
