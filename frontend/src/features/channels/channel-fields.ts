// A channel as a form holds it.
import type { Channel, ChannelDraft } from "../../api/types"

export type Fields = {
  name: string
  provider: string
  baseUrl: string
  credentials: string
  models: string
  groups: string[]
  priority: string
  weight: string
}
export type FieldError = "name" | "baseUrl" | "models" | "priority" | "weight"

export const EMPTY: Fields = {
  name: "",
  provider: "openai-compatible",
  baseUrl: "",
  credentials: "",
  models: "",
  groups: ["default"],
  priority: "0",
  weight: "1",
}

/** One model a line: the public name alone, or `public = upstream` where the upstream calls it something else. */
export function modelsText(models: Record<string, string>): string {
  return Object.entries(models)
    .map(([name, upstream]) => (name === upstream ? name : `${name} = ${upstream}`))
    .join("\n")
}

/** The lines read back; null when one of them is no model. */
export function readModels(text: string): Record<string, string> | null {
  const models: Record<string, string> = {}
  for (const line of text.split("\n").map((raw) => raw.trim())) {
    if (line === "") continue
    const [name = "", upstream, ...rest] = line.split("=").map((part) => part.trim())
    if (name === "" || /\s/.test(name) || upstream === "" || rest.length > 0) return null
    models[name] = upstream ?? name
  }
  return models
}

function lines(text: string): string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean)
}

export function fieldsOf(channel: Channel): Fields {
  return {
    name: channel.name,
    provider: channel.provider,
    baseUrl: channel.base_url,
    credentials: "",
    models: modelsText(channel.models),
    groups: channel.groups,
    priority: String(channel.priority),
    weight: String(channel.weight),
  }
}

function isWhole(text: string, least: number): boolean {
  return text.trim() !== "" && Number.isSafeInteger(Number(text)) && Number(text) >= least
}

export function mistakes(fields: Fields): FieldError[] {
  const isAddress = fields.provider === "scripted" || /^https?:\/\/\S+$/.test(fields.baseUrl.trim())
  const wrong: [FieldError, boolean][] = [
    ["name", fields.name.trim() === ""],
    ["baseUrl", !isAddress],
    ["models", readModels(fields.models) === null],
    ["priority", !isWhole(fields.priority, Number.NEGATIVE_INFINITY)],
    ["weight", !isWhole(fields.weight, 0)],
  ]
  return wrong.filter(([, isWrong]) => isWrong).map(([name]) => name)
}

/** The body for POST and PATCH. No credentials typed: those there are stay. */
export function draftOf(fields: Fields): ChannelDraft {
  const credentials = lines(fields.credentials)
  return {
    name: fields.name.trim(),
    provider: fields.provider,
    base_url: fields.provider === "scripted" ? "" : fields.baseUrl.trim(),
    models: readModels(fields.models) ?? {},
    groups: fields.groups,
    priority: Number(fields.priority),
    weight: Number(fields.weight),
    ...(credentials.length > 0 && { credentials }),
  }
}
