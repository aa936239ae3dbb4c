import { Check, CircleX, X } from "lucide-react"
import { type ReactNode, useSyncExternalStore } from "react"
import { useTranslation } from "react-i18next"
import { Button } from "./button"

type Toast = {
  id: number
  tone: "good" | "bad"
  title: string
  text?: ReactNode
  action?: { label: string; onPress: () => void }
}

const STAYS_MS = 6000
let toasts: Toast[] = []
let lastId = 0
const listeners = new Set<() => void>()

function set(next: Toast[]): void {
  toasts = next
  for (const listener of listeners) listener()
}

function dismiss(id: number): void {
  set(toasts.filter((toast) => toast.id !== id))
}

/** Confirms something that happened. A failure stays until it is dismissed; it has to be read. */
export function say(toast: Omit<Toast, "id">): void {
  const id = ++lastId
  set([...toasts.slice(-3), { ...toast, id }])
  if (toast.tone === "good") setTimeout(dismiss, toast.action ? STAYS_MS * 2 : STAYS_MS, id)
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

/** Where toasts appear; stands once, in the app. */
export function Toasts() {
  const { t } = useTranslation()
  const shown = useSyncExternalStore(subscribe, () => toasts)
  return (
    <section className="toasts" aria-label={t("notices")} aria-live="polite">
      {shown.map((toast) => (
        <div key={toast.id} className="toast">
          {toast.tone === "good" ? (
            <Check className="i good" aria-hidden="true" />
          ) : (
            <CircleX className="i bad" aria-hidden="true" />
          )}
          <div className="min-w-0">
            <b className="font-label">{toast.title}</b>
            {toast.text && <p>{toast.text}</p>}
          </div>
          <span className="acts flex gap-1">
            {toast.action && (
              <Button
                size="sm"
                onClick={() => {
                  toast.action?.onPress()
                  dismiss(toast.id)
                }}
              >
                {toast.action.label}
              </Button>
            )}
            <Button size="sm" look="ghost" isIcon aria-label={t("dismiss")} onClick={() => dismiss(toast.id)}>
              <X className="i i-sm" aria-hidden="true" />
            </Button>
          </span>
        </div>
      ))}
    </section>
  )
}
