// A payment method as its form holds it: texts, as they were typed.
import type { MethodDraft, PaymentMethod, Processor } from "../../api/types"
import { minorText, parseMinor } from "../../format/minor"
import { exactAmount, parseAmount } from "../../format/quota"

export type Row = Record<string, string>
export type Fields = {
  id: string
  processor: string
  label: string
  text: string
  currency: string
  /** How much of the ledger's currency one unit of `currency` buys. */
  rate: string
  minimum: string
  maximum: string
  customAmount: boolean
  feeFixed: string
  feePercent: string
  orderMinutes: string
  groups: string[]
  packages: Row[]
  tiers: Row[]
  config: Record<string, string>
  secrets: Record<string, string>
  previousHours: string
}
export type Problems = Record<string, true>

export const NEW: Fields = {
  id: "",
  processor: "",
  label: "",
  text: "",
  currency: "USD",
  rate: "1",
  minimum: "",
  maximum: "",
  customAmount: true,
  feeFixed: "",
  feePercent: "",
  orderMinutes: "",
  groups: [],
  packages: [],
  tiers: [],
  config: {},
  secrets: {},
  previousHours: "24",
}

/** Decimal places of a currency; an unknown code has two until the API says what is wrong with it. */
export function exponentOf(currency: string): number {
  try {
    const format = new Intl.NumberFormat("en", { style: "currency", currency })
    return format.resolvedOptions().maximumFractionDigits ?? 2
  } catch {
    return 2
  }
}

export type ConfigField = {
  name: string
  kind: "text" | "long" | "choice" | "list" | "pairs" | "number" | "switch"
  choices: string[]
  isRequired: boolean
  /** What holds when nothing is entered. */
  initial: string
}

type Schema = {
  $ref?: string
  $defs?: Record<string, Schema>
  properties?: Record<string, Schema>
  required?: string[]
  type?: string
  enum?: string[]
  maxLength?: number
  default?: unknown
}

const LONG = 1000

function kindOf(field: Schema): ConfigField["kind"] {
  if (field.enum) return "choice"
  if (field.type === "array") return "list"
  if (field.type === "object") return "pairs"
  if (field.type === "integer") return "number"
  if (field.type === "boolean") return "switch"
  return (field.maxLength ?? 0) >= LONG ? "long" : "text"
}

/** What a processor wants to be told, from the schema of its configuration. */
export function configFields(processor: Processor | undefined): ConfigField[] {
  if (!processor) return []
  const schema = processor.config as Schema
  const own = schema.$ref ? schema.$defs?.[schema.$ref.split("/").pop() ?? ""] : schema
  return Object.entries(own?.properties ?? {}).map(([name, field]) => ({
    name,
    kind: kindOf(field),
    choices: field.enum ?? [],
    isRequired: own?.required?.includes(name) ?? false,
    initial: configText(field.default),
  }))
}

/** A value of the configuration as text: lists by comma, pairs one a line. */
export function configText(value: unknown): string {
  if (value === undefined || value === null) return ""
  if (Array.isArray(value)) return value.join(", ")
  if (typeof value === "object")
    return Object.entries(value)
      .map(([name, text]) => `${name} = ${String(text)}`)
      .join("\n")
  return String(value)
}

function configValue(field: ConfigField, text: string): unknown {
  switch (field.kind) {
    case "list":
      return text
        .split(",")
        .map((part) => part.trim())
        .filter(Boolean)
    case "pairs":
      return Object.fromEntries(
        text
          .split("\n")
          .filter((line) => line.includes("="))
          .map((line) => [line.slice(0, line.indexOf("=")).trim(), line.slice(line.indexOf("=") + 1).trim()]),
      )
    case "number":
      return Number(text)
    case "switch":
      return text === "true"
    default:
      return text.trim()
  }
}

export function fieldsOf(method: PaymentMethod, unit: number): Fields {
  const money = (amount: number | null) => (amount === null ? "" : minorText(amount, method.exponent))
  const quota = (amount: number | null | undefined) =>
    amount === null || amount === undefined ? "" : exactAmount(amount, unit)
  const perUnit = BigInt(method.quota_per_minor_unit) * 10n ** BigInt(method.exponent)
  return {
    id: method.id,
    processor: method.processor,
    label: method.label,
    text: method.text,
    currency: method.currency,
    rate: exactAmount(perUnit, unit),
    minimum: money(method.minimum),
    maximum: money(method.maximum),
    customAmount: method.custom_amount,
    feeFixed: method.fee.fixed ? money(method.fee.fixed) : "",
    feePercent: method.fee.micros ? percentText(method.fee.micros) : "",
    orderMinutes: method.order_minutes === null ? "" : String(method.order_minutes),
    groups: method.groups ?? [],
    packages: method.packages.map((one) => ({
      id: one.id,
      label: one.label,
      amount: money(one.amount),
      quota: quota(one.quota),
      bonus: quota(one.bonus_quota),
    })),
    tiers: method.bonus_tiers.map((one) => ({
      minimum: money(one.minimum),
      percent: one.bonus_micros ? percentText(one.bonus_micros) : "",
      quota: one.bonus_quota ? quota(one.bonus_quota) : "",
      groups: one.groups?.join(", ") ?? "",
    })),
    config: Object.fromEntries(
      Object.entries(method.config).map(([name, value]) => [name, configText(value)]),
    ),
    secrets: {},
    previousHours: "24",
  }
}

/** Millionths as percent, exactly: 29_000 is "2.9". */
export function percentText(micros: number): string {
  const digits = String(micros).padStart(5, "0")
  return `${digits.slice(0, -4)}.${digits.slice(-4)}`.replace(/\.?0+$/, "")
}

/** "2.9" as millionths; null when it is no share, or finer than a millionth. */
export function parsePercent(text: string): number | null {
  const match = /^(\d{1,4})(?:\.(\d{1,4}))?$/.exec(text.trim())
  return match ? Number(`${match[1]}${(match[2] ?? "").padEnd(4, "0")}`) : null
}

function slugOf(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 60)
}

/** The body for POST and PATCH, or which fields cannot be meant. */
export function read(
  fields: Fields,
  config: ConfigField[],
  unit: number,
): { draft: MethodDraft; wrong: null } | { draft: null; wrong: Problems } {
  const wrong: Problems = {}
  const bad = (name: string): number => {
    wrong[name] = true
    return 0
  }
  const exponent = exponentOf(fields.currency)
  const money = (name: string, text: string) => parseMinor(text, exponent) ?? bad(name)
  const maybeMoney = (name: string, text: string) => (text.trim() ? money(name, text) : null)
  const quota = (name: string, text: string) => parseAmount(text, unit) ?? bad(name)
  const maybeQuota = (name: string, text = "") => (text.trim() ? quota(name, text) : null)
  const share = (name: string, text = "") => (text.trim() ? (parsePercent(text) ?? bad(name)) : 0)
  const perUnit = parseAmount(fields.rate, unit) ?? 0
  const scale = 10 ** exponent
  if (perUnit <= 0 || perUnit % scale !== 0) bad("rate")
  if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(fields.id)) bad("id")
  if (!fields.label.trim()) bad("label")
  if (!/^[A-Z]{3}$/.test(fields.currency)) bad("currency")
  const minutes = fields.orderMinutes.trim()
  if (minutes && !/^\d{2,6}$/.test(minutes)) bad("orderMinutes")
  for (const field of config)
    if (field.isRequired && !(fields.config[field.name] ?? field.initial).trim()) bad(`config.${field.name}`)
  const secrets = Object.entries(fields.secrets).filter(([, text]) => text.trim() !== "")
  const draft: MethodDraft = {
    id: fields.id,
    processor: fields.processor,
    label: fields.label.trim(),
    text: fields.text.trim(),
    currency: fields.currency,
    quota_per_minor_unit: perUnit / scale,
    minimum: maybeMoney("minimum", fields.minimum),
    maximum: maybeMoney("maximum", fields.maximum),
    custom_amount: fields.customAmount,
    packages: fields.packages.map((row, at) => ({
      id: row.id || slugOf(row.label ?? "") || `package-${at + 1}`,
      label: row.label?.trim() || String(bad(`packages.${at}`)),
      amount: money(`packages.${at}`, row.amount ?? ""),
      quota: maybeQuota(`packages.${at}`, row.quota),
      bonus_quota: maybeQuota(`packages.${at}`, row.bonus),
    })),
    bonus_tiers: fields.tiers.map((row, at) => ({
      minimum: money(`tiers.${at}`, row.minimum ?? ""),
      bonus_micros: share(`tiers.${at}`, row.percent),
      bonus_quota: maybeQuota(`tiers.${at}`, row.quota) ?? 0,
      ...(row.groups?.trim() && {
        groups: row.groups
          .split(",")
          .map((name) => name.trim())
          .filter(Boolean),
      }),
    })),
    fee: {
      fixed: maybeMoney("feeFixed", fields.feeFixed) ?? 0,
      micros: share("feePercent", fields.feePercent),
    },
    groups: fields.groups.length > 0 ? fields.groups : null,
    order_minutes: minutes ? Number(minutes) : null,
    config: Object.fromEntries(
      config
        .filter((field) => (fields.config[field.name] ?? "").trim() !== "")
        .map((field) => [field.name, configValue(field, fields.config[field.name] ?? "")]),
    ),
    ...(secrets.length > 0 && { secrets: Object.fromEntries(secrets) }),
  }
  return Object.keys(wrong).length > 0 ? { draft: null, wrong } : { draft, wrong: null }
}
