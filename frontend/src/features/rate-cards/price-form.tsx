import { useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body, onceOnly } from "../../api/client"
import type { Model } from "../../api/types"
import { useLedger } from "../../components/amount"
import { Check } from "../../components/choice"
import { EffectiveFrom } from "../../components/effective-from"
import { FormDialog } from "../../components/form-dialog"
import { RateFields } from "../../components/rate-fields"
import { type Meter, type RateTexts, readRates, textsOf } from "../../components/rates"
import { fromLocalInput } from "../../format/time"

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
  const { unit } = useLedger()
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
      <RateFields texts={texts} onChange={setTexts} wrong={wrong} isEmpty={isEmpty} />
      {tiers.length > 0 && (
        <Check isOn={keepsTiers} onChange={setKeepsTiers}>
          {t("rates.keepTiers", { count: tiers.length })}
        </Check>
      )}
      <EffectiveFrom value={from} onChange={setFrom} />
    </FormDialog>
  )
}
