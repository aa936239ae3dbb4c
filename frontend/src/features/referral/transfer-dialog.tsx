import { useQueryClient } from "@tanstack/react-query"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { sendOnce } from "../../api/once"
import { quotaMoved, walletQuery } from "../../api/queries"
import type { Referral, Wallet } from "../../api/types"
import { Amount, useLedger } from "../../components/amount"
import { Field } from "../../components/field"
import { FormDialog } from "../../components/form-dialog"
import { Input } from "../../components/input"
import { say } from "../../components/toast"
import { amountInput, exactAmount, parseAmount } from "../../format/quota"

/** Moves rewards to the balance: all of them unless another amount is typed. */
export function TransferDialog({
  referral,
  isOpen,
  onClose,
}: {
  referral: Referral
  isOpen: boolean
  onClose: () => void
}) {
  const { t } = useTranslation("referral")
  const queries = useQueryClient()
  const { unit, sign, currency } = useLedger()
  const { reward_balance: most, minimum_transfer: least } = referral
  const [typed, setTyped] = useState<string | null>(null)
  const [wasSent, setSent] = useState(false)
  const [send] = useState(sendOnce)
  const money = (quota: number) => `${sign}${exactAmount(quota, unit)}`
  const amount = parseAmount(typed ?? amountInput(most, unit), unit)
  const wrong =
    amount === null || amount <= 0
      ? t("transfer.bad")
      : amount < least
        ? t("transfer.tooSmall", { minimum: money(least) })
        : amount > most
          ? t("transfer.tooLarge", { most: money(most) })
          : null
  const submit = () => {
    setSent(true)
    if (amount === null || wrong) return null
    return send(amount, (headers) =>
      body(api().POST("/api/v1/referral/transfers", { body: { amount }, headers })),
    ).then(async ({ balance }) => {
      queries.setQueryData<Wallet>(walletQuery.queryKey, (old) => old && { ...old, balance })
      say({ tone: "good", title: t("transfer.done", { amount: money(amount) }) })
      await Promise.all([queries.invalidateQueries({ queryKey: ["referral"] }), quotaMoved(queries)])
    })
  }
  return (
    <FormDialog
      isOpen={isOpen}
      onClose={onClose}
      onGone={() => {
        setTyped(null)
        setSent(false)
      }}
      title={t("transfer.title")}
      text={
        <>
          {t("transfer.has")} <Amount quota={most} withSign />
        </>
      }
      action={t("transfer.action", { amount: amount && !wrong ? money(amount) : "" })}
      onSubmit={submit}
    >
      <Field
        label={t("transfer.amount")}
        help={least > 1 ? t("transfer.minimum", { minimum: money(least) }) : undefined}
        error={wasSent ? wrong : null}
      >
        {(ids) => (
          <Input
            {...ids}
            autoFocus
            className="num"
            inputMode="decimal"
            before={<span className="affix">{sign}</span>}
            after={<span className="affix">{currency}</span>}
            value={typed ?? amountInput(most, unit)}
            onChange={(event) => setTyped(event.target.value)}
          />
        )}
      </Field>
    </FormDialog>
  )
}
