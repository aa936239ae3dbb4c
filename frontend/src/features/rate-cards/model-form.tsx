import { useState } from "react"
import { useTranslation } from "react-i18next"
import type { Model, ModelChanges } from "../../api/types"
import { Field } from "../../components/field"
import { FormDialog } from "../../components/form-dialog"
import { Input } from "../../components/input"
import { RateLimitFields } from "../../components/rate-limit-fields"
import { rateLimitsOf, rateTexts } from "../../format/rate-limits"

/** A whole number above 0, null for an empty field, undefined for anything else. */
function figure(text: string): number | null | undefined {
  const clean = text.replace(/[\s,]/g, "")
  if (clean === "") return null
  return /^[1-9]\d{0,9}$/.test(clean) ? Number(clean) : undefined
}

export function ModelForm({
  isOpen,
  edited,
  onClose,
  onGone,
  onSubmit,
}: {
  isOpen: boolean
  edited: Model | null
  onClose: () => void
  onGone: () => void
  onSubmit: (name: string, changes: ModelChanges) => Promise<unknown>
}) {
  const { t } = useTranslation("admin")
  const [name, setName] = useState(edited?.model ?? "")
  const [vendor, setVendor] = useState(edited?.vendor ?? "")
  const [description, setDescription] = useState(edited?.description ?? "")
  const [context, setContext] = useState(String(edited?.context_window ?? ""))
  const [output, setOutput] = useState(String(edited?.max_output_tokens ?? ""))
  const [rates, setRates] = useState(rateTexts(edited?.rate_limits))
  const [wasSent, setSent] = useState(false)
  const contextWindow = figure(context)
  const outputTokens = figure(output)
  const limits = rateLimitsOf(rates)
  const isNameBad = !name.trim() || /\s/.test(name.trim())
  const submit = () => {
    setSent(true)
    if (isNameBad || contextWindow === undefined || outputTokens === undefined || limits === undefined)
      return null
    return onSubmit(name.trim(), {
      vendor: vendor.trim() || null,
      description: description.trim() || null,
      context_window: contextWindow,
      max_output_tokens: outputTokens,
      rate_limits: limits,
    })
  }
  const figures = [
    { label: t("rates.contextWindow"), text: context, set: setContext, isBad: contextWindow === undefined },
    { label: t("rates.maxOutput"), text: output, set: setOutput, isBad: outputTokens === undefined },
  ]
  return (
    <FormDialog
      isOpen={isOpen}
      onClose={onClose}
      onGone={onGone}
      title={edited ? t("editTitle", { name: edited.model }) : t("rates.new")}
      text={edited ? undefined : t("rates.newText")}
      action={edited ? t("save") : t("rates.create")}
      onSubmit={submit}
    >
      <Field
        label={t("rates.name")}
        help={t("rates.nameHelp")}
        error={wasSent && isNameBad ? t("rates.nameBad") : null}
      >
        {(ids) => (
          <Input
            {...ids}
            className="mono"
            autoFocus={!edited}
            disabled={edited !== null}
            maxLength={200}
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
        )}
      </Field>
      <Field label={t("rates.vendor")}>
        {(ids) => (
          <Input
            {...ids}
            maxLength={120}
            value={vendor}
            onChange={(event) => setVendor(event.target.value)}
          />
        )}
      </Field>
      <Field label={t("rates.description")} help={t("rates.descriptionHelp")}>
        {(ids) => (
          <Input
            {...ids}
            maxLength={500}
            value={description}
            onChange={(event) => setDescription(event.target.value)}
          />
        )}
      </Field>
      <div className="grid gap-4 sm:grid-cols-2">
        {figures.map(({ label, text, set, isBad }) => (
          <Field
            key={label}
            label={label}
            help={t("rates.tokensHelp")}
            error={wasSent && isBad ? t("wholeNumber") : null}
          >
            {(ids) => (
              <Input
                {...ids}
                className="num"
                inputMode="numeric"
                value={text}
                onChange={(event) => set(event.target.value)}
              />
            )}
          </Field>
        ))}
      </div>
      <RateLimitFields texts={rates} onChange={setRates} isSent={wasSent} help={t("rates.limitsHelp")} />
    </FormDialog>
  )
}
