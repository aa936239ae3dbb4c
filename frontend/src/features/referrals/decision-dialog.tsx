import { useQueryClient } from "@tanstack/react-query"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import type { AdminReward } from "../../api/types"
import { useLedger } from "../../components/amount"
import { Field } from "../../components/field"
import { FormDialog } from "../../components/form-dialog"
import { Input } from "../../components/input"
import { say } from "../../components/toast"
import { exactAmount } from "../../format/quota"

export type Decision = { reward: AdminReward; act: "withhold" | "release"; whose: string }

const ADDRESSES = {
  withhold: "/api/v1/admin/rewards/{reward_id}/withhold",
  release: "/api/v1/admin/rewards/{reward_id}/release",
} as const

/** Withholds a reward (and takes back what was given of it) or releases it, with a reason for the audit log. */
export function DecisionDialog({
  decision: { reward, act, whose },
  isOpen,
  onClose,
  onGone,
}: {
  decision: Decision
  isOpen: boolean
  onClose: () => void
  onGone: () => void
}) {
  const { t } = useTranslation("referrals")
  const queries = useQueryClient()
  const { unit, sign } = useLedger()
  const [reason, setReason] = useState("")
  const [wasSent, setSent] = useState(false)
  const amount = `${sign}${exactAmount(reward.amount, unit)}`
  const submit = () => {
    setSent(true)
    if (!reason.trim()) return null
    return body(
      api().POST(ADDRESSES[act], {
        params: { path: { reward_id: reward.id } },
        body: { reason: reason.trim() },
      }),
    ).then(async () => {
      await queries.invalidateQueries({ queryKey: ["admin", "referrals"] })
      say({ tone: "good", title: t(`${act}.done`, { amount }) })
    })
  }
  return (
    <FormDialog
      isOpen={isOpen}
      onClose={onClose}
      onGone={onGone}
      title={t(`${act}.title`, { amount, whose })}
      text={t(act === "withhold" && reward.posted > 0 ? "withhold.textGiven" : `${act}.text`)}
      action={t(`${act}.action`, { amount })}
      onSubmit={submit}
    >
      <Field
        label={t("reason")}
        help={t("reasonHelp")}
        error={wasSent && !reason.trim() ? t("reasonMissing") : null}
      >
        {(ids) => (
          <Input
            {...ids}
            autoFocus
            maxLength={300}
            value={reason}
            onChange={(event) => setReason(event.target.value)}
          />
        )}
      </Field>
    </FormDialog>
  )
}
