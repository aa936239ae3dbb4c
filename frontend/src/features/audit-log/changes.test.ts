import { describe, expect, it } from "vitest"
import { changesOf } from "./changes"
import { readAuditSearch } from "./search"

describe("what an act changed", () => {
  it("is told field by field", () => {
    expect(changesOf({ group: "default", status: "active" }, { group: "vip", status: "active" })).toEqual([
      { name: "group", before: "default", after: "vip" },
      { name: "status", before: "active", after: "active" },
    ])
  })
  it("has no before where something was made, and no after where it went", () => {
    expect(changesOf(null, { name: "x" })).toEqual([{ name: "name", before: null, after: "x" }])
    expect(changesOf({ name: "x" }, null)).toEqual([{ name: "name", before: "x", after: null }])
  })
  it("shows lists and nothing as they are sent", () => {
    expect(changesOf({ models: ["a"] }, { models: null })).toEqual([
      { name: "models", before: '["a"]', after: "null" },
    ])
    expect(changesOf(null, null)).toEqual([])
  })
})

describe("the address of the audit log", () => {
  it("keeps its filters and nothing else", () => {
    expect(readAuditSearch({ action: "channel", act: 7, other: "x", person: "" })).toEqual({
      action: "channel",
      act: "7",
    })
  })
})
