import { expect, test } from "vitest"
import { draftOf, EMPTY, mistakes, modelsText, readModels } from "./channel-fields"

test("a model is a public name, or a public name and what the upstream calls it", () => {
  expect(readModels("gpt-x\n\n team/gpt = gpt-x-2026 \n")).toEqual({
    "gpt-x": "gpt-x",
    "team/gpt": "gpt-x-2026",
  })
})

test("a line that is no model is a mistake", () => {
  for (const text of ["two words", "a =", "a = b = c", "= b"]) expect(readModels(text)).toBeNull()
})

test("what the form shows reads back as the same models", () => {
  const models = { "vendor/model:free": "model", plain: "plain" }
  expect(readModels(modelsText(models))).toEqual(models)
})

test("the scripted provider needs no address, every other does", () => {
  const fields = { ...EMPTY, name: "main" }
  expect(mistakes({ ...fields, provider: "scripted" })).toEqual([])
  expect(mistakes({ ...fields, baseUrl: "api.example.com/v1" })).toEqual(["baseUrl"])
})

test("credentials that were not typed are not sent, so those there are stay", () => {
  const fields = { ...EMPTY, name: "main", baseUrl: "https://api.example.com/v1" }
  expect(draftOf(fields)).not.toHaveProperty("credentials")
  expect(draftOf({ ...fields, credentials: " one\ntwo \n" }).credentials).toEqual(["one", "two"])
})
