import { useTranslation } from "react-i18next"
import type { Referral } from "../../api/types"
import { useLedger } from "../../components/amount"
import { exactAmount } from "../../format/quota"

const MICROS_A_PERCENT = 10_000

/** What both sides get and when, in sentences: only what the operator configured. */
export function useTerms(referral: Referral): string[] {
  const { t } = useTranslation("referral")
  const { unit, sign } = useLedger()
  const money = (quota: number) => `${sign}${exactAmount(quota, unit)}`
  const { reward, invitee_reward, condition, first_order_minimum, days, share_micros } = referral
  const when =
    condition === "first_order" && first_order_minimum
      ? t("when.firstOrderOf", { minimum: money(first_order_minimum) })
      : condition === "after_days"
        ? t("when.afterDays", { count: days ?? 0 })
        : t(condition === "registration" ? "when.registration" : "when.firstOrder")
  const sentences: string[] = []
  if (reward && invitee_reward)
    sentences.push(t("both", { reward: money(reward), invitee: money(invitee_reward), when }))
  else if (reward) sentences.push(t("you", { reward: money(reward), when }))
  else if (invitee_reward) sentences.push(t("they", { invitee: money(invitee_reward), when }))
  if (share_micros) {
    const share = `${share_micros / MICROS_A_PERCENT}%`
    sentences.push(t(reward ? "shareToo" : "share", { share }))
    if (referral.share_days) sentences.push(t("shareDays", { count: referral.share_days }))
    if (referral.share_orders_max) sentences.push(t("shareOrders", { count: referral.share_orders_max }))
  }
  return sentences
}
