import { useTranslation } from "react-i18next"
import { useLedger } from "./amount"
import { Field } from "./field"
import { Input } from "./input"
import { MAIN_METERS, type Meter, OTHER_METERS, perOf, type RateTexts } from "./rates"
import { useMeterName } from "./receipt"

/** The rates of a card: those that most state in sight, the others folded away until one of them is. */
export function RateFields({
  texts,
  onChange,
  wrong,
  isEmpty,
}: {
  texts: RateTexts
  onChange: (texts: RateTexts) => void
  /** Meters whose text is no amount. */
  wrong: Meter[]
  /** No rate at all was given. */
  isEmpty: boolean
}) {
  const { t } = useTranslation("admin")
  const { sign } = useLedger()
  const meterName = useMeterName()
  const errorOf = (meter: Meter) =>
    wrong.includes(meter) ? t("rates.rateBad") : isEmpty && meter === "input" ? t("rates.rateMissing") : null
  const field = (meter: Meter) => (
    <Field key={meter} label={meterName(meter)} error={errorOf(meter)}>
      {(ids) => (
        <Input
          {...ids}
          className="num"
          inputMode="decimal"
          before={<span className="affix">{sign}</span>}
          after={<span className="affix">{perOf(meter) === 1 ? t("rates.each") : "/ 1M"}</span>}
          value={texts[meter] ?? ""}
          onChange={(event) => onChange({ ...texts, [meter]: event.target.value })}
        />
      )}
    </Field>
  )
  return (
    <>
      <div className="grid gap-4 sm:grid-cols-2">{MAIN_METERS.map(field)}</div>
      <details className="fold" open={OTHER_METERS.some((meter) => texts[meter])}>
        <summary>{t("rates.others")}</summary>
        <p className="help mt-2">{t("rates.othersHelp")}</p>
        <div className="mt-3 grid gap-4 sm:grid-cols-2">{OTHER_METERS.map(field)}</div>
      </details>
    </>
  )
}
