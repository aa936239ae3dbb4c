import type { ReactNode } from "react"
import { useTranslation } from "react-i18next"
import {
  countText,
  difference,
  multiplierText,
  paddedAmount,
  type Quota,
  rateText,
  sharedDecimals,
} from "../format/quota"
import { useLedger } from "./amount"

export type ReceiptLine = { meter: string; quantity: number; rate: number; per: number; amount: string }

const MILLION = 1_000_000

/** The name of a meter; one that this build does not know shows under its own name. */
export function useMeterName(): (meter: string) => string {
  const { t, i18n } = useTranslation()
  return (meter) => (i18n.exists(`meter.${meter}`) ? t(`meter.${meter}` as "meter.input") : meter)
}

/** How a charge comes about, the same everywhere: each meter, the subtotal, the multiplier, the total closed by a double rule. */
export function Receipt({
  lines,
  subtotal,
  multiplierMicros,
  group,
  total,
  totalLabel,
  after,
  also = [],
}: {
  lines: ReceiptLine[]
  /** Quota before the multiplier, a decimal string. */
  subtotal: string
  multiplierMicros: number
  group: string
  total: number
  totalLabel: string
  /** What follows the total, quieter: a balance after, a day, a month. */
  after?: { label: string; value: ReactNode }[]
  /** Amounts that stand in the column under the total and so share its decimals. */
  also?: Quota[]
}) {
  const { t } = useTranslation()
  const { unit, sign } = useLedger()
  const meterName = useMeterName()
  const change = difference(total, subtotal)
  const decimals = sharedDecimals(
    [subtotal, total, change, ...also, ...lines.map((line) => line.amount)],
    unit,
  )
  return (
    <table className="receipt">
      <thead>
        <tr>
          <th scope="col">{t("receipt.meter")}</th>
          <td>{t("receipt.calculation", { sign })}</td>
          <td>{sign}</td>
        </tr>
      </thead>
      <tbody>
        {lines.map((line) => (
          <tr key={line.meter} className="line">
            <th scope="row">{meterName(line.meter)}</th>
            <td className="calc">
              {countText(line.quantity)} × {rateText(line, MILLION, line.per === 1 ? 1 : MILLION, unit)}
              {line.per === 1 && <span className="q"> {t("receipt.each")}</span>}
            </td>
            <td>{paddedAmount(line.amount, unit, decimals)}</td>
          </tr>
        ))}
      </tbody>
      <tbody>
        <tr className="sum gap">
          <th scope="row" colSpan={2}>
            {t("receipt.subtotal")}
          </th>
          <td>{paddedAmount(subtotal, unit, decimals)}</td>
        </tr>
        <tr>
          <th scope="row" colSpan={2}>
            <span className="factor">
              {t("receipt.group", { group })}
              <span className="fig">{multiplierText(multiplierMicros)}</span>
            </span>
          </th>
          <td>{change.replace(/[-0.]/g, "") === "" ? "–" : paddedAmount(change, unit, decimals)}</td>
        </tr>
        <tr className="total">
          <th scope="row" colSpan={2}>
            {totalLabel}
          </th>
          <td>{paddedAmount(total, unit, decimals)}</td>
        </tr>
        {after?.map((row, index) => (
          <tr key={row.label} className={index === 0 ? "after" : "after tight"}>
            <th scope="row" colSpan={2}>
              {row.label}
            </th>
            <td>{row.value}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
