import { expect, test } from "vitest"
import { perOf, readRates, textsOf } from "./rates"

const UNIT = 1_000_000_000

test("what the form shows reads back as the same rates", () => {
  const rates = { input: 2_500_000_000, cached_input: 312_500_001, request: 1 }
  expect(readRates(textsOf(rates, UNIT), UNIT)).toEqual({ rates, wrong: [] })
})

test("an empty field is no rate, a zero is a rate of nothing", () => {
  expect(readRates({ input: " ", output: "0" }, UNIT)).toEqual({ rates: { output: 0 }, wrong: [] })
})

test("what is no amount is named by its meter", () => {
  expect(readRates({ input: "cheap", output: "-1", image: "0.03" }, UNIT).wrong).toEqual(["input", "output"])
})

test("tokens are priced by the million, pieces by the piece", () => {
  expect(perOf("input")).toBe(1_000_000)
  expect(perOf("image")).toBe(1)
})
