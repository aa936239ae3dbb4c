import { api, body } from "./client"
import { Problem } from "./problem"

/** Where the window of an identity provider tells the page that opened it how it went. */
const CHANNEL = "airouter-proof"
const LOOK_MS = 500

/** What the window says when it is back: proved, or the code of a refusal. */
type Said = { problem: string | null }

/** Said by the window that came back; nobody hears it if the page is gone. */
export function tellProof(problem: string | null): void {
  const channel = new BroadcastChannel(CHANNEL)
  channel.postMessage({ problem } satisfies Said)
  channel.close()
}

function answerOf(popup: Window): Promise<Said> {
  const channel = new BroadcastChannel(CHANNEL)
  return new Promise<Said>((resolve) => {
    channel.onmessage = ({ data }: MessageEvent<Said>) => resolve(data)
    const look = setInterval(() => {
      if (!popup.closed) return
      clearInterval(look)
      // What was said just before closing may still be on its way.
      setTimeout(() => resolve({ problem: "proof_window_closed" }), LOOK_MS)
    }, LOOK_MS)
  }).finally(() => channel.close())
}

/** Has an identity provider ask, in a window of its own, who this is. Call it from a click: else no window opens. */
export async function proveElsewhere(provider: string): Promise<void> {
  const popup = window.open("", "_blank", "popup,width=520,height=700")
  if (!popup) throw new Problem("proof_window_blocked", 0, "", null, {})
  try {
    const visit = await body(
      api().POST("/api/v1/me/identities/visits", { body: { provider, errand: "prove", next: "/proved" } }),
    )
    popup.location.href = visit.url
  } catch (error) {
    popup.close()
    throw error
  }
  const { problem } = await answerOf(popup)
  if (problem) throw new Problem(problem, 0, "", null, {})
}
