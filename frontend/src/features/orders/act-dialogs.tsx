import { useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { sendOnce } from "../../api/once"
import type { AdminOrder, AdminOrderDetail } from "../../api/types"
import { useLedger } from "../../components/amount"
import { Check, Segmented } from "../../components/choice"
import { Field } from "../../components/field"
import { FormDialog } from "../../components/form-dialog"
import { Input } from "../../components/input"
import { Note } from "../../components/note"
import { say } from "../../components/toast"
import { minorText, moneyText, parseMinor } from "../../format/minor"
import { exactAmount } from "../../format/quota"

type Props = {
  line: AdminOrder
  isOpen: boolean
  onClose: () => void
  onDone: (detail: AdminOrderDetail) => Promise<void>
}

type Decision = "credit_paid" | "credit_ordered" | "reject"

/** Why an operator does it; it stays in the order's story. */
function useReason() {
  const { t } = useTranslation("orders")
  const [reason, setReason] = useState("")
  const [wasSent, setSent] = useState(false)
  const field = (
    <Field
      label={t("because")}
      help={t("becauseHelp")}
      error={wasSent && !reason.trim() ? t("becauseMissing") : null}
    >
      {(ids) => (
        <Input {...ids} maxLength={500} value={reason} onChange={(event) => setReason(event.target.value)} />
      )}
    </Field>
  )
  /** The reason, or null after having said that there is none. */
  const read = () => {
    setSent(true)
    return reason.trim() || null
  }
  return { field, read }
}

const pathOf = (line: AdminOrder) => ({ path: { order_id: line.order.id } })

/** The money came: credits as a notice of the processor would, or puts the order in review when the amount differs. */
export function ConfirmDialog({ line, isOpen, onClose, onDone }: Props) {
  const { t } = useTranslation("orders")
  const { unit, sign } = useLedger()
  const { order } = line
  const reason = useReason()
  const [send] = useState(sendOnce)
  const [text, setText] = useState(minorText(order.total, order.exponent))
  const amount = parseMinor(text, order.exponent)
  const isExact = amount === order.total
  const submit = () => {
    const because = reason.read()
    if (!because || amount === null) return null
    const draft = { reason: because, amount }
    return send([order.id, draft], (headers) =>
      body(
        api().POST("/api/v1/admin/orders/{order_id}/confirm", { params: pathOf(line), headers, body: draft }),
      ),
    ).then(async (detail) => {
      await onDone(detail)
      say({ tone: "good", title: t(`status.${detail.line.order.status}`) })
    })
  }
  return (
    <FormDialog
      isOpen={isOpen}
      onClose={onClose}
      title={t("act.confirm")}
      text={t("confirmText", {
        name: line.account_name,
        total: moneyText(order.total, order.currency, order.exponent),
        quota: `${sign}${exactAmount(order.quota + order.bonus_quota, unit)}`,
      })}
      action={t(isExact ? "confirmAction" : "confirmReview")}
      onSubmit={submit}
    >
      <Field label={t("came")} error={amount === null ? t("amountBad") : null}>
        {(ids) => (
          <Input
            {...ids}
            className="num"
            inputMode="decimal"
            after={<span className="affix">{order.currency}</span>}
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        )}
      </Field>
      {amount !== null && !isExact && <Note tone="warn">{t("confirmDiffers")}</Note>}
      {reason.field}
    </FormDialog>
  )
}

/** Gives a payment back, at the processor or recorded here, and takes quota in proportion. */
export function RefundDialog({ line, isOpen, onClose, onDone }: Props) {
  const { t } = useTranslation("orders")
  const { unit, sign } = useLedger()
  const { order, refundable_amount } = line
  const reason = useReason()
  const [send] = useState(sendOnce)
  const [text, setText] = useState(minorText(refundable_amount, order.exponent))
  const [isAtProcessor, setAtProcessor] = useState(line.processor !== "manual")
  const amount = parseMinor(text, order.exponent)
  const isAmount = amount !== null && amount <= refundable_amount
  const paid = order.paid_amount ?? 0
  const left = order.credited_quota - order.taken_quota
  // About: the API takes paid quota and bonus each in its own proportion, down to the unit.
  const taken =
    isAmount && order.credited_quota > 0 && paid > 0
      ? amount === refundable_amount
        ? BigInt(left)
        : (BigInt(order.credited_quota) * BigInt(amount)) / BigInt(paid)
      : 0n
  const submit = () => {
    const because = reason.read()
    if (!because || !isAmount) return null
    const draft = { reason: because, amount, at_processor: isAtProcessor }
    return send([order.id, draft], (headers) =>
      body(
        api().POST("/api/v1/admin/orders/{order_id}/refund", { params: pathOf(line), headers, body: draft }),
      ),
    ).then(async (detail) => {
      await onDone(detail)
      say({
        tone: "good",
        title: t("refunded", { amount: moneyText(amount, order.currency, order.exponent) }),
      })
    })
  }
  return (
    <FormDialog
      isOpen={isOpen}
      onClose={onClose}
      title={t("act.refund")}
      text={t("refundText", {
        name: line.account_name,
        left: moneyText(refundable_amount, order.currency, order.exponent),
      })}
      action={t(isAtProcessor ? "refundAction" : "refundRecord", {
        amount: isAmount ? moneyText(amount, order.currency, order.exponent) : "",
      })}
      onSubmit={submit}
    >
      <Field label={t("giveBack")} error={isAmount ? null : t("refundBad")}>
        {(ids) => (
          <Input
            {...ids}
            className="num"
            inputMode="decimal"
            after={<span className="affix">{order.currency}</span>}
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        )}
      </Field>
      <Check isOn={isAtProcessor} onChange={setAtProcessor}>
        {t("atProcessor")}
      </Check>
      {taken > 0n && <Note>{t("takes", { amount: `${sign}${exactAmount(taken, unit)}` })}</Note>}
      {reason.field}
    </FormDialog>
  )
}

/** An order in review: credited for what came, as it was ordered, or not at all. */
export function ResolveDialog({ line, isOpen, onClose, onDone }: Props) {
  const { t } = useTranslation("orders")
  const { order } = line
  const isCountable = order.paid_currency === order.currency && (order.paid_amount ?? 0) > 0
  const reason = useReason()
  const [send] = useState(sendOnce)
  const [decision, setDecision] = useState<Decision>(isCountable ? "credit_paid" : "credit_ordered")
  const submit = () => {
    const because = reason.read()
    if (!because) return null
    const draft = { reason: because, decision }
    return send([order.id, draft], (headers) =>
      body(
        api().POST("/api/v1/admin/orders/{order_id}/resolve", { params: pathOf(line), headers, body: draft }),
      ),
    ).then(async (detail) => {
      await onDone(detail)
      say({ tone: "good", title: t(`status.${detail.line.order.status}`) })
    })
  }
  const decisions: Decision[] = isCountable
    ? ["credit_paid", "credit_ordered", "reject"]
    : ["credit_ordered", "reject"]
  return (
    <FormDialog
      isOpen={isOpen}
      onClose={onClose}
      title={t("act.resolve")}
      text={t("resolveText", {
        total: moneyText(order.total, order.currency, order.exponent),
        paid: moneyText(order.paid_amount ?? 0, order.paid_currency ?? order.currency, order.exponent),
      })}
      action={t(`decision.${decision}`)}
      onSubmit={submit}
    >
      <Segmented<Decision>
        label={t("decide")}
        value={decision}
        onValue={setDecision}
        options={decisions.map((value) => ({ value, label: t(`decisionShort.${value}`) }))}
      />
      <p className="text-13 text-ink-3">{t(`decisionText.${decision}`)}</p>
      {reason.field}
    </FormDialog>
  )
}
