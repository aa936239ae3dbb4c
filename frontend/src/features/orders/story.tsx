import { useTranslation } from "react-i18next"
import type { AdminOrderDetail } from "../../api/types"
import { State, type Tone } from "../../components/state"
import { When } from "../../components/when"
import { moneyText } from "../../format/minor"

type Event = AdminOrderDetail["events"][number]
type Refund = AdminOrderDetail["refunds"][number]

function toneOf({ outcome }: Event): Tone {
  if (outcome === null) return "half"
  if (outcome === "applied") return "good"
  return outcome === "known" || outcome === "too_late" ? "off" : "warn"
}

const REFUND_TONES: Record<Refund["status"], Tone> = { started: "half", done: "good", failed: "bad" }

/** Everything that was said about an order and done to it, in the order in which it came. */
export function Story({ detail }: { detail: AdminOrderDetail }) {
  const { t } = useTranslation("orders")
  const { order } = detail.line
  const money = (amount: number, currency: string | null) =>
    moneyText(amount, currency ?? order.currency, order.exponent)
  const lines = [
    ...detail.events.map((event) => ({
      id: event.id,
      at: event.received_at,
      tone: toneOf(event),
      what: t(`event.${event.kind}`),
      who: t(`source.${event.source}`),
      amount: event.refunded_total ?? event.amount,
      currency: event.currency,
      outcome: event.outcome ? t(`outcome.${event.outcome}`) : t("outcome.waiting"),
      words: [event.reason, event.status_text].filter(Boolean).join(" · "),
      mono: [event.dispute, event.event_id].filter(Boolean).join(" · "),
    })),
    ...detail.refunds.map((refund) => ({
      id: refund.id,
      at: refund.created_at,
      tone: REFUND_TONES[refund.status],
      what: t(refund.at_processor ? "refund.atProcessor" : "refund.byHand"),
      who: t("source.operator"),
      amount: refund.amount,
      currency: order.currency as string | null,
      outcome: t(`refund.${refund.status}`),
      words: [refund.reason, refund.detail].filter(Boolean).join(" · "),
      mono: "",
    })),
  ].sort((one, other) => one.at.localeCompare(other.at))
  if (lines.length === 0) return <p className="text-13 text-ink-3">{t("silence")}</p>
  return (
    <ol className="grid gap-3">
      {lines.map((line) => (
        <li key={line.id} className="grid gap-0.5 border-b border-rule pb-3 text-13 last:border-0">
          <div className="flex flex-wrap items-baseline justify-between gap-x-4">
            <span className="inline-flex flex-wrap items-baseline gap-x-2">
              <State tone={line.tone}>{line.what}</State>
              {line.amount !== null && <span className="num">{money(line.amount, line.currency)}</span>}
            </span>
            <span className="text-12 text-ink-3">
              <When at={line.at} as="time" />
            </span>
          </div>
          <span className="text-ink-3">
            {line.who} · {line.outcome}
          </span>
          {line.words && <span className="wrap-anywhere">{line.words}</span>}
          {line.mono && <span className="mono text-12 text-ink-3 wrap-anywhere">{line.mono}</span>}
        </li>
      ))}
    </ol>
  )
}
