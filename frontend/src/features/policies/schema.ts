// A policy's form is drawn from what the API says of its fields. What is typed stays text until it is read as a value.
import { amountInput, parseAmount } from "../../format/quota"

export type Json = string | number | boolean | null | Json[] | { [name: string]: Json }
export type Raw = string | boolean

type Schema = {
  type?: string
  enum?: string[]
  anyOf?: Schema[]
  minimum?: number
  maximum?: number
  maxLength?: number
  default?: Json
}

export type PolicyField = {
  name: string
  kind: "switch" | "choice" | "whole" | "amount" | "factor" | "text" | "long" | "lines" | "pairs"
  /** May be left empty, which is a value of its own. */
  isOptional: boolean
  options: string[]
  least: number | null
  most: number | null
  initial: Json
}

const MICROS = 1_000_000
/** The most that a wallet can hold: a field with this bound is quota. */
const WALLET_MAX = Number.MAX_SAFE_INTEGER
const LONG = 500

function kindOf(name: string, schema: Schema): PolicyField["kind"] {
  if (schema.enum) return "choice"
  if (schema.type === "boolean") return "switch"
  if (schema.type === "array") return "lines"
  if (schema.type === "object") return "pairs"
  if (schema.type === "integer" && name.endsWith("_micros")) return "factor"
  if (schema.type === "integer") return schema.maximum === WALLET_MAX ? "amount" : "whole"
  return (schema.maxLength ?? 0) > LONG && !name.endsWith("_url") ? "long" : "text"
}

/** The fields of a policy, in the order in which the API tells them. */
export function fieldsOf(schemas: Record<string, unknown>): PolicyField[] {
  return Object.entries(schemas).map(([name, told]) => {
    const whole = told as Schema
    const schema = whole.anyOf?.find(({ type }) => type !== "null") ?? whole
    return {
      name,
      kind: kindOf(name, schema),
      isOptional: whole.anyOf?.some(({ type }) => type === "null") ?? false,
      options: schema.enum ?? [],
      least: schema.minimum ?? null,
      most: schema.maximum ?? null,
      initial: whole.default ?? null,
    }
  })
}

function factorText(micros: number): string {
  const fraction = String(micros % MICROS)
    .padStart(6, "0")
    .replace(/0+$/, "")
  return `${Math.floor(micros / MICROS)}${fraction && `.${fraction}`}`
}

/** What stands in the field for a value. */
export function rawOf(field: PolicyField, value: Json, unit: number): Raw {
  if (field.kind === "switch") return value === true
  if (value === null || value === undefined) return ""
  if (field.kind === "amount") return amountInput(Number(value), unit)
  if (field.kind === "factor") return factorText(Number(value))
  if (Array.isArray(value)) return value.join("\n")
  if (typeof value === "object") {
    return Object.entries(value)
      .map(([name, link]) => `${name} = ${link}`)
      .join("\n")
  }
  return String(value)
}

function numberOf(field: PolicyField, text: string, unit: number): number | null {
  if (field.kind === "amount") return parseAmount(text, unit)
  if (field.kind === "factor") {
    const match = /^(\d{1,9})(?:\.(\d{1,6}))?$/.exec(text)
    return match ? Number(match[1]) * MICROS + Number((match[2] ?? "").padEnd(6, "0")) : null
  }
  return /^\d{1,15}$/.test(text) ? Number(text) : null
}

const linesOf = (text: string) =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean)

/** The value that a field means; undefined when what stands there means none. */
export function meaningOf(field: PolicyField, raw: Raw, unit: number): Json | undefined {
  if (typeof raw === "boolean") return raw
  const text = raw.trim()
  if (field.kind === "choice") return raw
  if (field.kind === "lines") return linesOf(raw)
  if (field.kind === "pairs") {
    const pairs = linesOf(raw).map((line) => line.split(/\s*=\s*(.*)/s))
    if (pairs.some(([name, link]) => !name || !link)) return undefined
    return Object.fromEntries(pairs.map(([name, link]) => [name, link]))
  }
  if (text === "" && field.isOptional) return null
  if (field.kind === "text" || field.kind === "long") return text
  const number = numberOf(field, text, unit)
  if (number === null || (field.least !== null && number < field.least)) return undefined
  return field.most !== null && number > field.most ? undefined : number
}
