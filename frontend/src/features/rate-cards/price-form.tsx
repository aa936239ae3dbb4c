import { useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body, onceOnly } from "../../api/client"
import type { Model } from "../../api/types"
import { useLedger } from "../../components/amount"
import { Check } from "../../components/choice"
import { Field } from "../../components/field"
import { FormDialog } from "../../components/form-dialog"
import { Input } from "../../components/input"
import { useMeterName } from "../../components/receipt"
import { fromLocalInput } from "../../format/time"
import { MAIN_METERS, type Meter, OTHER_METERS, perOf, type RateTexts, readRates, textsOf } from "./rates"

/** A new version of a model's rate card. Earlier ones stay: a past call keeps its price. */
export function PriceForm({
  model,
  isOpen,
  onClose,
  onGone,
  onSaved,
}: {
  model: Model
  isOpen: boolean
  onClose: () => void
  onGone: () => void
  onSaved: () => Promise<unknown>
}) {
  const { t } = useTranslation("admin")
  const { unit, sign } = useLedger()
  const meterName = useMeterName()
  const [texts, setTexts] = useState<RateTexts>(textsOf(model.rate_card?.rates ?? {}, unit))
  const [from, setFrom] = useState("")
  const [keepsTiers, setKeepsTiers] = useState(true)
  const [wrong, setWrong] = useState<Meter[]>([])
  const [isEmpty, setEmpty] = useState(false)
  const tiers = model.rate_card?.tiers ?? []
  const submit = () => {
    const read = readRates(texts, unit)
    const hasNone = Object.keys(read.rates).length === 0
    setWrong(read.wrong)
    setEmpty(hasNone)
    if (read.wrong.length > 0 || hasNone) return null
    return body(
      api().POST("/api/v1/admin/rate-cards", {
        body: {
          model: model.model,
          rates: read.rates,
          effective_at: fromLocalInput(from),
          tiers: keepsTiers ? tiers : [],
        },
        headers: { "Idempotency-Key": onceOnly() },
      }),
    ).then(onSaved)
  }
  const field = (meter: Meter) => (
    <Field
      key={meter}
      label={meterName(meter)}
      error={
        wrong.includes(meter)
          ? t("rates.rateBad")
          : isEmpty && meter === "input"
            ? t("rates.rateMissing")
            : null
      }
    >
      {(ids) => (
        <Input
          {...ids}
          className="num"
          inputMode="decimal"
          before={<span className="affix">{sign}</span>}
          after={<span className="affix">{perOf(meter) === 1 ? t("rates.each") : "/ 1M"}</span>}
          value={texts[meter] ?? ""}
          onChange={(event) => setTexts((before) => ({ ...before, [meter]: event.target.value }))}
        />
      )}
    </Field>
  )
  return (
    <FormDialog
      isOpen={isOpen}
      onClose={onClose}
      onGone={onGone}
      title={t("rates.priceTitle", { name: model.model })}
      text={t("rates.priceText")}
      action={t("rates.setPrice")}
      onSubmit={submit}
    >
      <div className="grid gap-4 sm:grid-cols-2">{MAIN_METERS.map(field)}</div>
      <details className="fold" open={OTHER_METERS.some((meter) => texts[meter])}>
        <summary>{t("rates.others")}</summary>
        <p className="help mt-2">{t("rates.othersHelp")}</p>
        <div className="mt-3 grid gap-4 sm:grid-cols-2">{OTHER_METERS.map(field)}</div>
      </details>
      {tiers.length > 0 && (
        <Check isOn={keepsTiers} onChange={setKeepsTiers}>
          {t("rates.keepTiers", { count: tiers.length })}
        </Check>
      )}
      <Field label={t("rates.from")} help={t("rates.fromHelp")}>
        {(ids) => (
          <Input
            {...ids}
            type="datetime-local"
            value={from}
            onChange={(event) => setFrom(event.target.value)}
          />
        )}
      </Field>
    </FormDialog>
  )
}
