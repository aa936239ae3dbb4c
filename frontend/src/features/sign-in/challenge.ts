import { api, body } from "../../api/client"

function work(challenge: string, bits: number): Promise<string> {
  const worker = new Worker(new URL("./work-worker.ts", import.meta.url), { type: "module" })
  return new Promise<string>((resolve, reject) => {
    worker.onmessage = ({ data }: MessageEvent<string>) => resolve(data)
    worker.onerror = (event) => reject(new Error(event.message))
    worker.postMessage({ challenge, bits })
  }).finally(() => worker.terminate())
}

/** Takes a puzzle and solves it. */
export async function proveWork(): Promise<string> {
  const puzzle = await body(api().POST("/api/v1/auth/challenge", { body: { purpose: "register" } }))
  return work(puzzle.challenge, puzzle.bits)
}

type Widget = {
  render: (element: HTMLElement, options: { sitekey: string; callback: (answer: string) => void }) => string
  reset: (id: string) => void
}

declare global {
  interface Window {
    turnstile?: Widget
  }
}

/** Loads the operator's widget once and draws it; `onAnswer` hears what it says. */
export async function drawWidget(
  element: HTMLElement,
  scriptUrl: string,
  siteKey: string,
  onAnswer: (answer: string) => void,
): Promise<void> {
  if (!window.turnstile) {
    await new Promise<void>((resolve, reject) => {
      const script = document.createElement("script")
      script.src = scriptUrl
      script.async = true
      script.onload = () => resolve()
      script.onerror = () => reject(new Error("the widget could not be loaded"))
      document.head.append(script)
    })
  }
  if (element.childElementCount === 0)
    window.turnstile?.render(element, { sitekey: siteKey, callback: onAnswer })
}
