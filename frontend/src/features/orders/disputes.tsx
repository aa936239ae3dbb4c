import { useTranslation } from "react-i18next"
import type { AdminOrder } from "../../api/types"
import { State, type Tone } from "../../components/state"
import { When } from "../../components/when"
import { moneyText } from "../../format/minor"

type Dispute = AdminOrder["disputes"][number]

const TONES: Record<Dispute["state"], Tone> = { open: "warn", won: "good", lost: "bad" }

/** Each dispute of an order's payment: about how much, why, and how it ended. */
export function Disputes({ line: { order, disputes } }: { line: AdminOrder }) {
  const { t } = useTranslation("orders")
  const about = ({ amount }: Dispute) =>
    amount === null
      ? t("dispute.everything")
      : moneyText(amount, order.paid_currency ?? order.currency, order.exponent)
  return (
    <ol className="grid gap-3">
      {disputes.map((one) => (
        <li
          key={one.name ?? one.heard_at}
          className="grid gap-0.5 border-b border-rule pb-3 text-13 last:border-0"
        >
          <div className="flex flex-wrap items-baseline justify-between gap-x-4">
            <span className="inline-flex flex-wrap items-baseline gap-x-2">
              <State tone={TONES[one.state]}>{t(`dispute.${one.state}`)}</State>
              <span className="num">{about(one)}</span>
            </span>
            <span className="text-12 text-ink-3">
              <When at={one.decided_at ?? one.heard_at} as="time" />
            </span>
          </div>
          {one.reason && (
            <span className="wrap-anywhere">{t("dispute.because", { reason: one.reason })}</span>
          )}
          {one.name && <span className="mono text-12 text-ink-3 wrap-anywhere">{one.name}</span>}
        </li>
      ))}
    </ol>
  )
}
