import { expect, test } from "vitest"
import { cleanCode } from "./code"

test("spaces, dashes of any kind, line ends and lower case do not matter", () => {
  expect(cleanCode(" abcd-EFGH\u2013 12 34\n")).toBe("ABCDEFGH1234")
})
