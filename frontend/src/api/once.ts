import { onceOnly } from "./client"
import { asProblem } from "./problem"

type Headers = { "Idempotency-Key": string }

/**
 * Sends what moves money once for each content, however often the button is pressed: after an answer that never came, or
 * that leaves open what was done, the same content goes out under the same key. What was done, or refused for good, may be
 * sent anew.
 */
export function sendOnce() {
  let kept: { content: string; key: string } | null = null
  return async <T>(content: unknown, post: (headers: Headers) => Promise<T>): Promise<T> => {
    const same = JSON.stringify(content)
    const sent = kept?.content === same ? kept : { content: same, key: onceOnly() }
    kept = sent
    try {
      const answer = await post({ "Idempotency-Key": sent.key })
      kept = null
      return answer
    } catch (error) {
      const { code, status } = asProblem(error)
      if (status >= 400 && status < 500 && code !== "idempotency_in_progress") kept = null
      throw error
    }
  }
}
