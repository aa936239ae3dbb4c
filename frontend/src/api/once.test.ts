import { expect, test } from "vitest"
import { sendOnce } from "./once"
import { Problem, unreachable } from "./problem"

const refused = (status: number, code: string) => new Problem(code, status, "", null, {})

/** The keys under which contents went out, each answered as said: null is done. */
async function keys(...sent: [content: unknown, answer: Error | null][]) {
  const send = sendOnce()
  const found: string[] = []
  for (const [content, answer] of sent) {
    await send(content, async (headers) => {
      found.push(headers["Idempotency-Key"])
      if (answer) throw answer
    }).catch((error) => expect(error).toBe(answer))
  }
  return found
}

test.each([
  unreachable("away"),
  refused(503, "database_unavailable"),
  refused(409, "idempotency_in_progress"),
])("a press after %s is the same", async (open) => {
  const [first, second, third] = await keys(
    [{ amount: 5 }, open],
    [{ amount: 5 }, null],
    [{ amount: 5 }, null],
  )
  expect(second).toBe(first)
  expect(third).not.toBe(first)
})

test("another content is another", async () => {
  const [first, second] = await keys([{ amount: 5 }, unreachable("away")], [{ amount: 6 }, null])
  expect(second).not.toBe(first)
})

test("what was refused for good may be sent anew", async () => {
  const [first, second] = await keys([{ amount: 5 }, refused(409, "in_use")], [{ amount: 5 }, null])
  expect(second).not.toBe(first)
})
