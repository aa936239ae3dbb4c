import { expect, test } from "vitest"
import { rateLimitsOf, rateTexts } from "./rate-limits"

test("empty fields limit nothing", () => {
  expect(rateLimitsOf(rateTexts())).toBeNull()
  expect(rateLimitsOf(rateTexts({ requests_per_minute: null }))).toBeNull()
})

test("what is shown is what is sent back, separators or not", () => {
  const limits = { requests_per_minute: 60, tokens_per_minute: 200_000, concurrency: 4 }
  expect(rateLimitsOf(rateTexts(limits))).toEqual(limits)
  expect(rateLimitsOf({ ...rateTexts(), tokens_per_minute: "200,000" })).toEqual({
    tokens_per_minute: 200_000,
  })
})

test.each(["0", "-1", "1.5", "many", "2000000001"])("%s is no limit", (text) => {
  expect(rateLimitsOf({ ...rateTexts(), concurrency: text })).toBeUndefined()
})
