import { expect, test } from "vitest"
import { changeText, parsePercent, partText } from "./part"

test("parts read as percent, and a little is never shown as nothing", () => {
  expect([375_000, 1_000_000, -200_000, 0, 40, -40].map(partText)).toEqual([
    "37.5%",
    "100%",
    "−20%",
    "0%",
    "<0.1%",
    "−<0.1%",
  ])
  expect([50_000, 0, -50_000].map(changeText)).toEqual(["+5%", "0%", "−5%"])
})

test("percent that was typed becomes millionths, exactly", () => {
  expect(["20", "12.5 %", "-3", "0,0001", "1.23456", "", "x"].map(parsePercent)).toEqual([
    200_000,
    125_000,
    -30_000,
    1,
    null,
    null,
    null,
  ])
})
