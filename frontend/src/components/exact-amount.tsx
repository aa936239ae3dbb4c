import { useTranslation } from "react-i18next"
import { exactFigure } from "../format/exact"
import { countText, exactAmount, type Quota } from "../format/quota"
import { useLedger } from "./amount"

/** Every digit of an amount: cents in ink and the rest quiet, or quiet zeros before a small one. */
export function ExactAmount({
  quota,
  decimals = 0,
  withSign,
}: {
  quota: Quota
  /** How many decimals the column shows. */
  decimals?: number
  withSign?: boolean
}) {
  const { t } = useTranslation()
  const { unit, sign } = useLedger()
  const figure = exactFigure(quota, unit, decimals)
  return (
    <span
      className="fig"
      title={`${sign}${exactAmount(quota, unit)} · ${t("quota", { quota: String(quota).includes(".") ? quota : countText(quota) })}`}
    >
      {figure.sign}
      {withSign && <span className="cur">{sign}</span>}
      {figure.lead && <span className="q">{figure.lead}</span>}
      {figure.main}
      {figure.tail && <span className="q">{figure.tail}</span>}
    </span>
  )
}
