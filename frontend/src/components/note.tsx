import { Check, CircleX, Info, TriangleAlert } from "lucide-react"
import type { ReactNode } from "react"

const ICONS = { good: Check, warn: TriangleAlert, bad: CircleX, plain: Info }

export function Note({ tone = "plain", children }: { tone?: keyof typeof ICONS; children: ReactNode }) {
  const Icon = ICONS[tone]
  return (
    <div
      className={`note ${tone === "plain" ? "" : `note-${tone}`}`}
      role={tone === "bad" ? "alert" : tone === "plain" ? undefined : "status"}
    >
      <Icon className="i" aria-hidden="true" />
      <span className="min-w-0">{children}</span>
    </div>
  )
}
