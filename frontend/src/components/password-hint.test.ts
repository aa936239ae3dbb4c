import { expect, test } from "vitest"
import { PASSWORD_LEAST, passwordHint } from "./password-hint"

test("a password that is too short is told what it needs, whatever else is wrong with it", () => {
  expect(passwordHint("a".repeat(PASSWORD_LEAST - 1), "aaaa@example.com")).toBe("help")
})

test("a part of the address is seen, in any case", () => {
  expect(passwordHint("My name is ADA.lovelace", "ada.lovelace@example.com")).toBe("address")
})

test("one plain word, a row of digits and few different letters are guessed soon", () => {
  for (const plain of ["conspiracy42", "1234567890", "abababababab"])
    expect(passwordHint(plain, "")).toBe("plain")
})

test("everything else may only be longer", () => {
  expect(passwordHint("correct horse battery", "ada@example.com")).toBe("long")
})
