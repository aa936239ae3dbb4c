import { useSyncExternalStore } from "react"
import { useTranslation } from "react-i18next"
import { dayAndTime, exactTime, relativeTime } from "../format/time"

const TICK_MS = 30_000
let now = Date.now()

function tick(changed: () => void): () => void {
  const timer = setInterval(() => {
    now = Date.now()
    changed()
  }, TICK_MS)
  return () => clearInterval(timer)
}

/** The time, in steps of half a minute: enough for "2 minutes ago" to stay true. */
export function useNow(): number {
  return useSyncExternalStore(tick, () => now)
}

/** A moment: relative, or day and time, with everything in its title. */
export function When({ at, as = "relative" }: { at: string; as?: "relative" | "time" }) {
  const { i18n } = useTranslation()
  const current = useNow()
  return (
    <time dateTime={at} title={exactTime(at, i18n.language)} className="nowrap">
      {as === "relative" ? relativeTime(at, current, i18n.language) : dayAndTime(at, i18n.language)}
    </time>
  )
}
