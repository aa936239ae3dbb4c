import { useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { useLedger } from "../../components/amount"
import { EffectiveFrom } from "../../components/effective-from"
import { FormDialog } from "../../components/form-dialog"
import { RateFields } from "../../components/rate-fields"
import { type Meter, type RateTexts, readRates, textsOf } from "../../components/rates"
import { fromLocalInput } from "../../format/time"
import type { Line } from "./line"

/** A new version of what the channel costs for a model. What was recorded for past calls stays. */
export function CostForm({
  channelId,
  line,
  isOpen,
  onClose,
  onGone,
  onSaved,
}: {
  channelId: string
  line: Line
  isOpen: boolean
  onClose: () => void
  onGone: () => void
  onSaved: () => Promise<unknown>
}) {
  const { t } = useTranslation(["costs", "admin"])
  const { unit } = useLedger()
  const [texts, setTexts] = useState<RateTexts>(textsOf(line.cost?.rates ?? {}, unit))
  const [from, setFrom] = useState("")
  const [wrong, setWrong] = useState<Meter[]>([])
  const [isEmpty, setEmpty] = useState(false)
  const submit = () => {
    const read = readRates(texts, unit)
    const hasNone = Object.keys(read.rates).length === 0
    setWrong(read.wrong)
    setEmpty(hasNone)
    if (read.wrong.length > 0 || hasNone) return null
    return body(
      api().PUT("/api/v1/admin/channels/{channel_id}/costs", {
        params: { path: { channel_id: channelId } },
        body: {
          model: line.model,
          rates: read.rates,
          tiers: line.cost?.tiers ?? [],
          effective_at: fromLocalInput(from),
        },
      }),
    ).then(onSaved)
  }
  return (
    <FormDialog
      isOpen={isOpen}
      onClose={onClose}
      onGone={onGone}
      title={t("setTitle", { name: line.model })}
      text={t("setText")}
      action={t("set")}
      onSubmit={submit}
    >
      <RateFields texts={texts} onChange={setTexts} wrong={wrong} isEmpty={isEmpty} />
      <EffectiveFrom value={from} onChange={setFrom} />
    </FormDialog>
  )
}
