import { expect, test } from "vitest"
import { sampleCurl } from "./curl"

test("the sample call is a shell command with a JSON body, whatever the model is called", () => {
  const command = sampleCurl("https://router.example/v1", "it's/a:model.1")
  const body = /-d '(.*)'$/s.exec(command)?.[1]?.replaceAll("'\\''", "'")
  expect(JSON.parse(body ?? "").model).toBe("it's/a:model.1")
  expect(command.startsWith("curl -i https://router.example/v1/chat/completions \\\n")).toBe(true)
})
