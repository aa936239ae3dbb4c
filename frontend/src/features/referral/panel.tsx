import { useState } from "react"
import { useTranslation } from "react-i18next"
import type { Referral } from "../../api/types"
import { useLedger } from "../../components/amount"
import { Button } from "../../components/button"
import { CodeBlock } from "../../components/code"
import { CopyButton } from "../../components/copy"
import { Section } from "../../components/page"
import { Failed } from "../../components/problem"
import { countText, exactAmount, paddedAmount, sharedDecimals } from "../../format/quota"
import { useReferral } from "./queries"
import { Rewards } from "./rewards"
import { TransferDialog } from "./transfer-dialog"
import { useTerms } from "./words"
import "./referral.css"

function Invitation({ referral }: { referral: Referral }) {
  const { t } = useTranslation("referral")
  const terms = useTerms(referral)
  if (!referral.link || !referral.code) return <p className="text-13 text-ink-2">{t("off")}</p>
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-4">
      <p>{terms.join(" ")}</p>
      <CodeBlock code={referral.link} label={t("link")} />
      <p className="bring-code">
        {t("orCode")} <span className="mono">{referral.code}</span>
        <CopyButton look="ghost" text={referral.code} label={t("copyCode")} />
      </p>
    </div>
  )
}

function Earned({ referral, onTransfer }: { referral: Referral; onTransfer: () => void }) {
  const { t } = useTranslation("referral")
  const { unit, sign } = useLedger()
  const { reward_balance, minimum_transfer, pending_total, rewarded_total } = referral
  const decimals = sharedDecimals([reward_balance, pending_total, rewarded_total], unit)
  const isEnough = reward_balance >= minimum_transfer
  return (
    <aside className="card bring-slip" aria-label={t("slip.title")}>
      <table className="receipt">
        <thead>
          <tr>
            <th scope="col">{t("slip.people", { count: referral.referred_count })}</th>
            <td>{sign}</td>
          </tr>
        </thead>
        <tbody>
          <tr className="line">
            <th scope="row">{t("slip.pending")}</th>
            <td>{paddedAmount(pending_total, unit, decimals)}</td>
          </tr>
          <tr className="line">
            <th scope="row">{t("slip.rewarded")}</th>
            <td>{paddedAmount(rewarded_total, unit, decimals)}</td>
          </tr>
          <tr className="total">
            <th scope="row">{t("slip.balance")}</th>
            <td title={`${countText(reward_balance)} quota`}>
              {paddedAmount(reward_balance, unit, decimals)}
            </td>
          </tr>
        </tbody>
      </table>
      <Button isWide disabled={!isEnough} onClick={onTransfer}>
        {t("slip.transfer")}
      </Button>
      {!isEnough && (
        <p className="help">
          {reward_balance === 0
            ? t("slip.none")
            : t("slip.tooLittle", { minimum: `${sign}${exactAmount(minimum_transfer, unit)}` })}
        </p>
      )}
    </aside>
  )
}

/** What bringing people is worth here, the link for it, and what it brought. Nothing at all where nobody switched it on. */
export default function ReferralPanel() {
  const { t } = useTranslation("referral")
  const { data: referral, error, refetch } = useReferral()
  const [isTransferring, setTransferring] = useState(false)
  if (error && !referral)
    return (
      <Section title={t("title")}>
        <Failed error={error} onRetry={() => void refetch()} />
      </Section>
    )
  if (!referral) return null
  const hasEarned = referral.rewarded_total !== "0" || referral.pending_total !== "0"
  if (!referral.is_enabled && !hasEarned) return null
  return (
    <Section title={t("title")}>
      <div className="bring">
        <Invitation referral={referral} />
        <Earned referral={referral} onTransfer={() => setTransferring(true)} />
      </div>
      {(hasEarned || referral.referred_count > 0) && (
        <div className="mt-6">
          <Rewards />
        </div>
      )}
      <TransferDialog referral={referral} isOpen={isTransferring} onClose={() => setTransferring(false)} />
    </Section>
  )
}
