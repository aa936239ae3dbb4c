import type { ReactNode } from "react"

export type Tone = "good" | "warn" | "bad" | "off" | "half"

/** A fact about a row: a dot and always a word. */
export function State({ tone, children }: { tone: Tone; children: ReactNode }) {
  return <span className={`state state-${tone}`}>{children}</span>
}

export function Tag({ tone, children }: { tone?: "good" | "warn" | "bad" | "accent"; children: ReactNode }) {
  return <span className={`tag ${tone ? `tag-${tone}` : ""}`}>{children}</span>
}

/** How much of a limit is used, 0 to 100; `null` is no limit, drawn as a dashed line. */
export function Bar({ percent, tone }: { percent: number | null; tone?: "warn" | "bad" | "ink" }) {
  if (percent === null) return <span className="bar none-bar" aria-hidden="true" />
  return (
    <span className={`bar ${tone ?? ""}`} aria-hidden="true">
      <i style={{ width: `${Math.max(0, Math.min(100, percent))}%` }} />
    </span>
  )
}
