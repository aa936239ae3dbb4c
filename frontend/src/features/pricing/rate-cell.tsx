import { useTranslation } from "react-i18next"
import type { PricedModel } from "../../api/types"
import { useLedger } from "../../components/amount"
import { useMeterName } from "../../components/receipt"
import { multiplierText, rateText } from "../../format/quota"
import { columnRate, hasTokenRates, otherMeters, type Rate } from "./models"
import type { Shown } from "./search"

export const COLUMNS = ["input", "cached_input", "output"] as const
const MILLION = 1_000_000

/** How many a rate is told for: tokens and characters by the chosen unit, everything else by the piece. */
export function shownFor(rate: Rate, per: Shown): number {
  return rate.per === 1 ? 1 : per === "1k" ? 1000 : MILLION
}

export function useRateWords(per: Shown) {
  const { t, i18n } = useTranslation("pricing")
  const { unit, sign } = useLedger()
  const meterName = useMeterName()
  return {
    text: (rate: Rate, micros: number) => rateText(rate, micros, shownFor(rate, per), unit),
    base: (rate: Rate, micros: number) =>
      t("base", {
        sign,
        rate: rateText(rate, MILLION, shownFor(rate, per), unit),
        multiplier: multiplierText(micros),
      }),
    perWhat: (meter: string) =>
      i18n.exists(`per.${meter}`, { ns: "pricing" })
        ? t(`per.${meter}` as "per.image")
        : t("per.other", { meter: meterName(meter) }),
  }
}

export function RateCell({
  rates,
  meter,
  micros,
  per,
  decimals,
}: {
  rates: PricedModel["rates"]
  meter: (typeof COLUMNS)[number]
  micros: number
  per: Shown
  decimals: number
}) {
  const { t } = useTranslation("pricing")
  const words = useRateWords(per)
  const { rate, isInherited } = columnRate(rates, meter)
  if (!rate) {
    return (
      <td className="num">
        <span className="q">
          –<span className="pad" aria-hidden="true">{`.${"0".repeat(decimals)}`}</span>
        </span>
      </td>
    )
  }
  const text = words.text(rate, micros)
  const missing = Math.max(0, decimals - (text.split(".")[1]?.length ?? 0))
  return (
    <td className="num" title={isInherited ? t("likeInput") : words.base(rate, micros)}>
      <span className={isInherited ? "fig q" : "fig"}>
        {text}
        <span className="pad" aria-hidden="true">
          {"0".repeat(missing)}
        </span>
      </span>
    </td>
  )
}

export function Extras({ model, per }: { model: PricedModel; per: Shown }) {
  const meterName = useMeterName()
  const words = useRateWords(per)
  const extras = hasTokenRates(model) ? otherMeters(model.rates) : otherMeters(model.rates).slice(1)
  if (extras.length === 0) return null
  return (
    <span className="sub">
      {extras.map(([meter, rate], index) => (
        <span key={meter} title={words.base(rate, model.multiplier_micros)} className="md:whitespace-nowrap">
          {index > 0 && " · "}
          {meterName(meter)} <span className="fig">{words.text(rate, model.multiplier_micros)}</span>
        </span>
      ))}
    </span>
  )
}
