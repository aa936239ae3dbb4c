import { useQueryClient } from "@tanstack/react-query"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { sendOnce } from "../../api/once"
import { quotaMoved } from "../../api/queries"
import type { Account } from "../../api/types"
import { Amount, useLedger } from "../../components/amount"
import { Check, Segmented } from "../../components/choice"
import { Field } from "../../components/field"
import { FormDialog } from "../../components/form-dialog"
import { Input } from "../../components/input"
import { say } from "../../components/toast"
import { balanceText, exactAmount, parseAmount } from "../../format/quota"

type Direction = "credit" | "debit"

/** Gives or takes quota, with a reason that stays on the ledger. */
export function AdjustDialog({
  account,
  isOpen,
  onClose,
  onGone,
}: {
  account: Account
  isOpen: boolean
  onClose: () => void
  onGone: () => void
}) {
  const { t } = useTranslation("admin")
  const queries = useQueryClient()
  const { unit, sign, currency } = useLedger()
  const [direction, setDirection] = useState<Direction>("credit")
  const [text, setText] = useState("")
  const [reason, setReason] = useState("")
  const [isPartial, setPartial] = useState(false)
  const [wasSent, setSent] = useState(false)
  const [send] = useState(sendOnce)
  const amount = parseAmount(text, unit)
  const isAmount = amount !== null && amount > 0
  const submit = () => {
    setSent(true)
    if (!isAmount || !reason.trim()) return null
    const draft = {
      amount: direction === "credit" ? amount : -amount,
      reason: reason.trim(),
      ...(direction === "debit" && { allow_partial: isPartial }),
    }
    return send([account.id, draft], (headers) =>
      body(
        api().POST("/api/v1/admin/accounts/{account_id}/adjustments", {
          params: { path: { account_id: account.id } },
          body: draft,
          headers,
        }),
      ),
    ).then(async (answer) => {
      await Promise.all([queries.invalidateQueries({ queryKey: ["admin", "accounts"] }), quotaMoved(queries)])
      say({
        tone: "good",
        title: t("accounts.adjusted", { name: account.name }),
        text: t("accounts.balanceNow", { balance: `${sign}${balanceText(answer.balance, unit)}` }),
      })
    })
  }
  const label = isAmount ? `${sign}${exactAmount(amount, unit)}` : ""
  return (
    <FormDialog
      isOpen={isOpen}
      onClose={onClose}
      onGone={onGone}
      title={t("accounts.adjustTitle", { name: account.name })}
      text={
        <>
          {t("accounts.has")} <Amount quota={account.balance} as="balance" withSign />
        </>
      }
      action={t(direction === "credit" ? "accounts.creditAction" : "accounts.debitAction", { amount: label })}
      onSubmit={submit}
    >
      <Segmented<Direction>
        label={t("accounts.direction")}
        value={direction}
        onValue={setDirection}
        options={[
          { value: "credit", label: t("accounts.credit") },
          { value: "debit", label: t("accounts.debit") },
        ]}
      />
      <Field label={t("accounts.amount")} error={wasSent && !isAmount ? t("accounts.amountBad") : null}>
        {(ids) => (
          <Input
            {...ids}
            className="num"
            inputMode="decimal"
            before={<span className="affix">{sign}</span>}
            after={<span className="affix">{currency}</span>}
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        )}
      </Field>
      <Field
        label={t("accounts.reason")}
        help={t("accounts.reasonHelp")}
        error={wasSent && !reason.trim() ? t("accounts.reasonMissing") : null}
      >
        {(ids) => (
          <Input
            {...ids}
            maxLength={500}
            value={reason}
            onChange={(event) => setReason(event.target.value)}
          />
        )}
      </Field>
      {direction === "debit" && (
        <Check isOn={isPartial} onChange={setPartial}>
          {t("accounts.partial")}
        </Check>
      )}
    </FormDialog>
  )
}
