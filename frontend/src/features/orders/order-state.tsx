import { useTranslation } from "react-i18next"
import type { AdminOrder } from "../../api/types"
import { State, type Tone } from "../../components/state"

const TONES: Record<AdminOrder["order"]["status"], Tone> = {
  pending: "warn",
  paid: "good",
  review: "warn",
  disputed: "bad",
  refunded: "off",
  expired: "off",
  failed: "bad",
}

/** The state of an order, and in smaller words why. */
export function OrderState({ line }: { line: AdminOrder }) {
  const { t, i18n } = useTranslation("orders")
  const { status, reason, refunded_amount } = line.order
  const isPartly = status === "paid" && refunded_amount > 0
  const key = `reason.${reason}`
  return (
    <>
      <State tone={isPartly ? "half" : TONES[status]}>
        {t(isPartly ? "partlyRefunded" : `status.${status}`)}
      </State>
      {reason && i18n.exists(key, { ns: "orders" }) && (
        <span className="sub block text-12 text-ink-3">{t(key as "reason.underpaid")}</span>
      )}
    </>
  )
}
