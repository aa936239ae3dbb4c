import { expect, test } from "vitest"
import { sha256, solve } from "./work"

const hex = (words: Uint32Array) => [...words].map((word) => word.toString(16).padStart(8, "0")).join("")

test.each([0, 3, 55, 56, 63, 64, 65, 119, 120, 200])("hashes %i bytes as everybody does", async (length) => {
  const bytes = new Uint8Array(length).map((_, index) => index * 7)
  const told = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes))
  expect(hex(sha256(bytes))).toBe([...told].map((byte) => byte.toString(16).padStart(2, "0")).join(""))
})

test("an answer names its challenge and begins with enough zeros", () => {
  const answer = solve("a-challenge", 10)
  expect(answer.startsWith("a-challenge:")).toBe(true)
  expect((sha256(new TextEncoder().encode(answer))[0] as number) >>> 22).toBe(0)
})
