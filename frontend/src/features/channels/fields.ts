// A channel as its page holds it: text as it was typed, until it is saved.
import type { Channel, ChannelDraft } from "../../api/types"
import { bodyRule, headerRule, mistakeIn, type Rule, rulesOf } from "./rules"

/** A line of the model table: what callers ask for, and what the provider calls it. */
export type ModelLine = { id: number; name: string; upstream: string }

export type Fields = {
  name: string
  provider: string
  baseUrl: string
  apiVersion: string
  /** Of a channel that is not there yet; afterwards each has a line and verbs of its own. */
  credentials: string
  models: ModelLine[]
  groups: string[]
  priority: string
  weight: string
  testModel: string
  probeMinutes: string
  connect: string
  firstByte: string
  idle: string
  total: string
  requests: string
  tokens: string
  concurrency: string
  /** Typed anew; what is there comes never back whole. */
  proxy: string
  keepsProxy: boolean
  onDisconnect: "drain" | "cancel"
  includeUsage: boolean
  rewriteModel: boolean
  uncountedTools: boolean
  body: Rule[]
  headers: Rule[]
}
type Times = "connect" | "firstByte" | "idle" | "total"
type Caps = "requests" | "tokens" | "concurrency"
export type Mistake =
  | "name"
  | "baseUrl"
  | "models"
  | "priority"
  | "weight"
  | "probeMinutes"
  | "proxy"
  | "rules"
  | Times
  | Caps

let lastId = 0

export function newLine(name = "", upstream = ""): ModelLine {
  return { id: ++lastId, name, upstream }
}

export function emptyFields(): Fields {
  return {
    name: "",
    provider: "openai",
    baseUrl: "",
    apiVersion: "",
    credentials: "",
    models: [],
    groups: ["default"],
    priority: "0",
    weight: "1",
    testModel: "",
    probeMinutes: "",
    connect: "",
    firstByte: "",
    idle: "",
    total: "",
    requests: "",
    tokens: "",
    concurrency: "",
    proxy: "",
    keepsProxy: true,
    onDisconnect: "drain",
    includeUsage: true,
    rewriteModel: false,
    uncountedTools: false,
    body: [],
    headers: [],
  }
}

function shown(figure: number | null | undefined): string {
  return figure == null ? "" : String(figure)
}

export function fieldsOf(channel: Channel): Fields {
  const { options } = channel
  const times = options.timeouts
  const caps = options.caps
  const lines = Object.entries(channel.models).sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true }))
  return {
    ...emptyFields(),
    name: channel.name,
    provider: channel.provider,
    baseUrl: channel.base_url,
    apiVersion: options.api_version ?? "",
    models: lines.map(([name, upstream]) => newLine(name, upstream === name ? "" : upstream)),
    groups: channel.groups,
    priority: String(channel.priority),
    weight: String(channel.weight),
    testModel: options.test_model ?? "",
    probeMinutes: shown(options.probe_minutes),
    connect: shown(times?.connect_seconds),
    firstByte: shown(times?.first_byte_seconds),
    idle: shown(times?.idle_seconds),
    total: shown(times?.total_seconds),
    requests: shown(caps?.requests_per_minute),
    tokens: shown(caps?.tokens_per_minute),
    concurrency: shown(caps?.concurrency),
    onDisconnect: options.on_disconnect ?? "drain",
    includeUsage: options.include_usage ?? true,
    rewriteModel: options.rewrite_model ?? false,
    uncountedTools: options.uncounted_tools ?? false,
    ...rulesOf(channel),
  }
}

function isWhole(text: string, least: number, most = Number.MAX_SAFE_INTEGER): boolean {
  const figure = Number(text)
  return text.trim() !== "" && Number.isSafeInteger(figure) && figure >= least && figure <= most
}

function isUrl(text: string): boolean {
  return /^https?:\/\/\S+$/.test(text.trim())
}

export function isBadLine({ name, upstream }: ModelLine, all: ModelLine[]): boolean {
  if (name.trim() === "") return upstream.trim() !== ""
  const isDouble = all.filter((other) => other.name.trim() === name.trim()).length > 1
  return isDouble || /\s/.test(name.trim())
}

/** `needsAddress`: the provider has an address that an operator types. */
export function mistakes(fields: Fields, needsAddress: boolean): Mistake[] {
  const optional = (text: string, most: number) => text.trim() !== "" && !isWhole(text, 1, most)
  const wrong: [Mistake, boolean][] = [
    ["name", fields.name.trim() === ""],
    ["baseUrl", needsAddress && !isUrl(fields.baseUrl)],
    ["models", fields.models.some((line) => isBadLine(line, fields.models))],
    ["priority", !isWhole(fields.priority, -1_000_000, 1_000_000)],
    ["weight", !isWhole(fields.weight, 0, 1_000_000)],
    ["probeMinutes", optional(fields.probeMinutes, 10_080)],
    ["connect", optional(fields.connect, 3600)],
    ["firstByte", optional(fields.firstByte, 3600)],
    ["idle", optional(fields.idle, 3600)],
    ["total", optional(fields.total, 86_400)],
    ["requests", optional(fields.requests, 2_000_000_000)],
    ["tokens", optional(fields.tokens, 2_000_000_000)],
    ["concurrency", optional(fields.concurrency, 2_000_000_000)],
    ["proxy", fields.proxy.trim() !== "" && !isUrl(fields.proxy)],
    [
      "rules",
      fields.body.some((rule) => mistakeIn(rule, "body")) ||
        fields.headers.some((rule) => mistakeIn(rule, "headers")),
    ],
  ]
  return wrong.filter(([, isWrong]) => isWrong).map(([name]) => name)
}

function figures<Name extends string>(texts: Record<Name, string>): Record<Name, number> | null {
  const given = Object.entries<string>(texts).filter(([, text]) => text.trim() !== "")
  if (given.length === 0) return null
  return Object.fromEntries(given.map(([name, text]) => [name, Number(text)])) as Record<Name, number>
}

export function servedNames(fields: Fields): string[] {
  return fields.models.map(({ name }) => name.trim()).filter(Boolean)
}

function optionsOf(fields: Fields): NonNullable<ChannelDraft["options"]> {
  const isServed = servedNames(fields).includes(fields.testModel)
  const timeouts = figures({
    connect_seconds: fields.connect,
    first_byte_seconds: fields.firstByte,
    idle_seconds: fields.idle,
    total_seconds: fields.total,
  })
  const caps = figures({
    requests_per_minute: fields.requests,
    tokens_per_minute: fields.tokens,
    concurrency: fields.concurrency,
  })
  return {
    on_disconnect: fields.onDisconnect,
    include_usage: fields.includeUsage,
    rewrite_model: fields.rewriteModel,
    uncounted_tools: fields.uncountedTools,
    ...(fields.apiVersion.trim() !== "" && { api_version: fields.apiVersion.trim() }),
    ...(isServed && { test_model: fields.testModel }),
    ...(fields.probeMinutes.trim() !== "" && { probe_minutes: Number(fields.probeMinutes) }),
    ...(timeouts && { timeouts }),
    ...(caps && { caps }),
    ...(fields.body.length > 0 && { body: fields.body.map(bodyRule) }),
    ...(fields.headers.length > 0 && { headers: fields.headers.map(headerRule) }),
  }
}

/** The body for POST and PATCH. Credentials are sent for a channel that is not there yet, and only then. */
export function draftOf(fields: Fields, isNew: boolean): ChannelDraft {
  const lines = fields.models.filter(({ name }) => name.trim() !== "")
  const secrets = fields.credentials
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean)
  return {
    name: fields.name.trim(),
    provider: fields.provider,
    base_url: fields.baseUrl.trim(),
    models: Object.fromEntries(
      lines.map(({ name, upstream }) => [name.trim(), upstream.trim() || name.trim()]),
    ),
    groups: fields.groups,
    priority: Number(fields.priority),
    weight: Number(fields.weight),
    options: optionsOf(fields),
    ...(isNew && secrets.length > 0 && { credentials: secrets }),
    ...(fields.proxy.trim() !== ""
      ? { proxy: fields.proxy.trim() }
      : !fields.keepsProxy && !isNew && { proxy: null }),
  }
}
