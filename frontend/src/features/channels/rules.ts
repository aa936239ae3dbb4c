// Rules that change requests, as a form holds them: every part is text until it is sent.
import type { Channel } from "../../api/types"

type BodyRule = {
  action: Action
  path: string
  value?: unknown
  when?: When
}
type HeaderRule = { action: Action; name: string; value?: string | null; when?: When }
type When = { models?: unknown[]; endpoints?: unknown[]; is_streaming?: boolean | null }
export type Action = "set" | "default" | "remove"
export type Streaming = "any" | "yes" | "no"

/** `target` is a path in the body, or a header's name. `value`: JSON for the body, plain text for a header. */
export type Rule = {
  id: number
  action: Action
  target: string
  value: string
  models: string
  endpoints: string
  streaming: Streaming
}
export type RuleKind = "body" | "headers"

let lastId = 0

export function newRule(): Rule {
  return {
    id: ++lastId,
    action: "set",
    target: "",
    value: "",
    models: "",
    endpoints: "",
    streaming: "any",
  }
}

function conditionsOf(when: When | undefined): Pick<Rule, "models" | "endpoints" | "streaming"> {
  const { models = [], endpoints = [], is_streaming } = when ?? {}
  return {
    models: models.join(", "),
    endpoints: endpoints.join(", "),
    streaming: is_streaming === true ? "yes" : is_streaming === false ? "no" : "any",
  }
}

export function rulesOf({ options }: Channel): { body: Rule[]; headers: Rule[] } {
  return {
    body: ((options.body ?? []) as BodyRule[]).map((rule) => ({
      id: ++lastId,
      action: rule.action,
      target: rule.path,
      value: rule.value === undefined ? "" : JSON.stringify(rule.value),
      ...conditionsOf(rule.when),
    })),
    headers: ((options.headers ?? []) as HeaderRule[]).map((rule) => ({
      id: ++lastId,
      action: rule.action,
      target: rule.name,
      value: rule.value ?? "",
      ...conditionsOf(rule.when),
    })),
  }
}

function names(text: string): string[] {
  return text
    .split(",")
    .map((name) => name.trim())
    .filter(Boolean)
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** What is wrong with a rule, if anything: the part that has to be put right. */
export function mistakeIn(rule: Rule, kind: RuleKind): "target" | "value" | null {
  const target = rule.target.trim()
  if (target === "" || (kind === "headers" && !/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/.test(target))) return "target"
  if (rule.action === "remove") return null
  if (kind === "headers") return rule.value.trim() === "" ? "value" : null
  return isJson(rule.value) ? null : "value"
}

function whenOf({ models, endpoints, streaming }: Rule): { when?: When } {
  const when = {
    ...(names(models).length > 0 && { models: names(models) }),
    ...(names(endpoints).length > 0 && { endpoints: names(endpoints) }),
    ...(streaming !== "any" && { is_streaming: streaming === "yes" }),
  }
  return Object.keys(when).length > 0 ? { when } : {}
}

export function bodyRule(rule: Rule): BodyRule {
  return {
    action: rule.action,
    path: rule.target.trim(),
    ...(rule.action !== "remove" && { value: JSON.parse(rule.value) as unknown }),
    ...whenOf(rule),
  }
}

export function headerRule(rule: Rule): HeaderRule {
  return {
    action: rule.action,
    name: rule.target.trim(),
    ...(rule.action !== "remove" && { value: rule.value.trim() }),
    ...whenOf(rule),
  }
}
