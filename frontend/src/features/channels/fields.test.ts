import { expect, test } from "vitest"
import type { Channel } from "../../api/types"
import { draftOf, emptyFields, fieldsOf, mistakes, newLine } from "./fields"
import { bodyRule, mistakeIn, newRule } from "./rules"
import { fits } from "./search"

const CHANNEL: Channel = {
  id: "1",
  name: "main",
  provider: "openai",
  base_url: "https://api.example.com/v1",
  credentials: [],
  models: { plain: "plain", mine: "vendor/model:free" },
  groups: ["default"],
  priority: 2,
  weight: 3,
  enabled: true,
  proxy: null,
  options: {
    test_model: "mine",
    timeouts: { connect_seconds: 3 },
    caps: { concurrency: 9 },
    body: [{ action: "set", path: "store", value: false, when: { models: ["mine"], is_streaming: true } }],
    headers: [{ action: "remove", name: "x-beta" }],
  },
  health: { state: "healthy", until: null, reason: null, failures_in_a_row: 0 },
  usable_credentials: 0,
  concerns: [],
  last_test: null,
  created_at: "",
  updated_at: "",
}

test("what the page shows is saved as the same channel", () => {
  const { options, name, provider, base_url, models, groups, priority, weight } = CHANNEL
  const defaults = {
    on_disconnect: "drain",
    include_usage: true,
    rewrite_model: false,
    uncounted_tools: false,
  }
  expect(draftOf(fieldsOf(CHANNEL), false)).toEqual({
    ...{ name, provider, base_url, models, groups, priority, weight },
    options: { ...defaults, ...options },
  })
})

test("a model whose upstream name is left empty is called the same there; an empty line is nothing", () => {
  const fields = { ...emptyFields(), models: [newLine("a"), newLine("b", " up "), newLine()] }
  expect(draftOf(fields, true).models).toEqual({ a: "a", b: "up" })
})

test("a name twice, a name with a blank, and an upstream name alone are mistakes", () => {
  const fields = { ...emptyFields(), name: "x", baseUrl: "https://a.example" }
  for (const models of [[newLine("a"), newLine("a ")], [newLine("a b")], [newLine("", "up")]])
    expect(mistakes({ ...fields, models }, true)).toEqual(["models"])
})

test("figures out of their bounds are mistakes, and nothing is none", () => {
  const fields = { ...emptyFields(), name: "x", baseUrl: "https://a.example" }
  expect(mistakes(fields, true)).toEqual([])
  expect(mistakes({ ...fields, connect: "0", probeMinutes: "1.5", weight: "-1" }, true)).toEqual([
    "weight",
    "probeMinutes",
    "connect",
  ])
  expect(mistakes({ ...fields, baseUrl: "" }, true)).toEqual(["baseUrl"])
  expect(mistakes({ ...fields, baseUrl: "" }, false)).toEqual([])
})

test("credentials are sent with a new channel only, and a proxy only when typed or taken away", () => {
  const fields = { ...emptyFields(), credentials: " one\ntwo \n" }
  expect(draftOf(fields, true).credentials).toEqual(["one", "two"])
  expect(draftOf(fields, false)).not.toHaveProperty("credentials")
  expect(draftOf(fields, false)).not.toHaveProperty("proxy")
  expect(draftOf({ ...fields, keepsProxy: false }, false).proxy).toBeNull()
})

test("a rule's value is JSON, and removing needs none", () => {
  const rule = { ...newRule(), target: "reasoning.effort", value: "high" }
  expect(mistakeIn(rule, "body")).toBe("value")
  expect(mistakeIn({ ...rule, action: "remove" }, "body")).toBeNull()
  expect(mistakeIn({ ...rule, target: "x y" }, "headers")).toBe("target")
  expect(bodyRule({ ...rule, value: '"high"', models: "a, b", streaming: "no" })).toEqual({
    action: "set",
    path: "reasoning.effort",
    value: "high",
    when: { models: ["a", "b"], is_streaming: false },
  })
})

test("a channel is found by words of its name, address and models, by provider, group and state", () => {
  expect(fits(CHANNEL, { q: "EXAMPLE free" })).toBe(true)
  expect(fits(CHANNEL, { q: "main nothing" })).toBe(false)
  expect(fits(CHANNEL, { show: "look" })).toBe(false)
  expect(fits({ ...CHANNEL, concerns: ["cooling"] }, { show: "look" })).toBe(true)
  expect(fits(CHANNEL, { show: "off" })).toBe(false)
  expect(fits(CHANNEL, { provider: "gemini" })).toBe(false)
  expect(fits(CHANNEL, { group: "default" })).toBe(true)
})
