import { expect, test } from "vitest"
import { deviceOf } from "./device"

test("Edge is not taken for Chrome, nor Chrome for Safari", () => {
  const chrome = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36"
  expect(deviceOf(chrome)).toEqual({ browser: "Chrome", system: "Windows" })
  expect(deviceOf(`${chrome} Edg/140.0`)).toEqual({ browser: "Edge", system: "Windows" })
})

test("a program without a browser's name is not guessed", () => {
  expect(deviceOf("python-httpx/0.28")).toBeNull()
  expect(deviceOf("")).toBeNull()
})
