import { useState } from "react"
import { useTranslation } from "react-i18next"
import type { Account } from "../../api/types"
import { FormDialog } from "../../components/form-dialog"
import { RateLimitFields } from "../../components/rate-limit-fields"
import { type RateLimits, rateLimitsOf, rateTexts } from "../../format/rate-limits"

export function LimitsDialog({
  account,
  isOpen,
  onClose,
  onGone,
  onChoose,
}: {
  account: Account
  isOpen: boolean
  onClose: () => void
  onGone: () => void
  onChoose: (limits: RateLimits | null) => Promise<unknown>
}) {
  const { t } = useTranslation("admin")
  const [rates, setRates] = useState(rateTexts(account.rate_limits))
  const [wasSent, setSent] = useState(false)
  const submit = () => {
    setSent(true)
    const limits = rateLimitsOf(rates)
    return limits === undefined ? null : onChoose(limits)
  }
  return (
    <FormDialog
      isOpen={isOpen}
      onClose={onClose}
      onGone={onGone}
      title={t("accounts.limitsTitle", { name: account.name })}
      text={t("accounts.limitsText")}
      action={t("save")}
      onSubmit={submit}
    >
      <RateLimitFields texts={rates} onChange={setRates} isSent={wasSent} />
    </FormDialog>
  )
}
