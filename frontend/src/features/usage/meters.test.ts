import { expect, test } from "vitest"
import { allTokens, tokensOf } from "./meters"

test("a meter that was not used is unknown, one that counted nothing is zero", () => {
  expect(tokensOf({ input: 12, cached_input: 0 })).toEqual({ input: 12n, cached: 0n, output: null })
})

test("every token counts once, and what is no token counts not at all", () => {
  expect(
    allTokens({
      input: 1,
      cached_input: 2,
      cache_write_5m: 4,
      output: 8,
      reasoning: 16,
      request: 1,
      image: 3,
    }),
  ).toBe(31n)
})
