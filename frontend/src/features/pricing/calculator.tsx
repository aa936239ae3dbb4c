import { keepPreviousData, useQuery } from "@tanstack/react-query"
import { useId } from "react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import type { Estimate, EstimateInput, PricedModel } from "../../api/types"
import { useLedger } from "../../components/amount"
import { Field } from "../../components/field"
import { Input, Select } from "../../components/input"
import { useProblemText } from "../../components/problem"
import { Receipt, useMeterName } from "../../components/receipt"
import { useUrlText } from "../../components/url-text"
import { amountInput, countText, exactAmount, multiplierText } from "../../format/quota"
import { hasTokenRates, soleMeter } from "./models"
import type { PricingSearch } from "./search"

export const DEFAULTS = { input: 2000, output: 600, cached: 0, calls: 1000, units: 1 }
type Quantity = keyof typeof DEFAULTS

/** What one call would use, by meter. The fixed part of a call is the gateway's to add. */
export function usageOf(model: PricedModel, search: PricingSearch): Record<string, number> {
  const wanted = { ...DEFAULTS, ...search }
  const sole = soleMeter(model)
  if (sole) return { [sole[0]]: wanted.units }
  const cached = Math.floor((wanted.input * wanted.cached) / 100)
  const usage: Record<string, number> = {}
  if (model.rates.input) Object.assign(usage, { input: wanted.input - cached, cached_input: cached })
  if (model.rates.output) usage.output = wanted.output
  return Object.fromEntries(Object.entries(usage).filter(([, quantity]) => quantity > 0))
}

export function useEstimate(
  model: PricedModel | undefined,
  group: string | undefined,
  search: PricingSearch,
) {
  const usage = model ? usageOf(model, search) : {}
  const input: EstimateInput = { model: model?.model ?? "", usage, ...(group && { group }) }
  return useQuery({
    queryKey: ["estimate", input],
    queryFn: ({ signal }) => body(api().POST("/api/v1/pricing/estimate", { body: input, signal })),
    enabled: model !== undefined && Object.keys(usage).length > 0,
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  })
}

function QuantityField({
  label,
  value,
  most,
  after,
  onValue,
}: {
  label: string
  value: number
  most: number
  after?: string
  onValue: (value: number) => void
}) {
  const read = (text: string) => Math.min(most, Number(text.replace(/\D/g, "").slice(0, 10)))
  const [text, setText] = useUrlText(String(value), (typed) => onValue(read(typed)))
  const shown = text === "" ? "" : countText(String(read(text)))
  return (
    <Field label={label}>
      {(ids) => (
        <Input
          {...ids}
          className="num"
          inputMode="numeric"
          value={shown}
          onChange={(event) => setText(event.target.value.replace(/\D/g, ""))}
          after={after && <span className="affix">{after}</span>}
        />
      )}
    </Field>
  )
}

/** A total over many calls: cents are enough there, unless the cents would hide it. */
function useTotal(): (cost: number, times: number) => string {
  const { unit } = useLedger()
  return (cost, times) => {
    const total = BigInt(cost) * BigInt(times)
    const exact = exactAmount(total, unit)
    const cents = amountInput(total, unit).replace(/(\.\d\d)\d*$/, "$1")
    return Number(cents) >= 1 ? exact.replace(/(\.\d\d)\d*$/, "$1") : exact
  }
}

function CalculatedReceipt({
  estimate,
  micros,
  group,
  calls,
}: {
  estimate: Estimate
  micros: number
  group: string
  calls: number
}) {
  const { t } = useTranslation("pricing")
  const totalOf = useTotal()
  return (
    <Receipt
      lines={estimate.lines}
      subtotal={estimate.subtotal}
      multiplierMicros={micros}
      group={group}
      total={estimate.cost}
      totalLabel={t("calc.call")}
      after={[
        { label: t("calc.day"), value: totalOf(estimate.cost, calls) },
        { label: t("calc.month"), value: totalOf(estimate.cost, calls * 30) },
      ]}
    />
  )
}

export function Calculator({
  models,
  model,
  group,
  search,
  onChange,
}: {
  models: PricedModel[]
  model: PricedModel
  group: string
  search: PricingSearch
  onChange: (change: Partial<PricingSearch>) => void
}) {
  const { t } = useTranslation("pricing")
  const id = useId()
  const textOf = useProblemText()
  const meterName = useMeterName()
  const estimate = useEstimate(model, group, search)
  const wanted = { ...DEFAULTS, ...search }
  const sole = soleMeter(model)
  const set = (name: Quantity) => (value: number) => onChange({ [name]: value })
  return (
    <section className="card calculator" id="calc" aria-labelledby={id}>
      <div className="flex items-center justify-between">
        <h2 id={id}>{t("calc.title")}</h2>
        <span className="mult" title={`${t("group")} ${group}`}>
          {multiplierText(model.multiplier_micros)}
        </span>
      </div>
      <Field label={t("calc.model")}>
        {(ids) => (
          <Select
            {...ids}
            className="mono"
            value={model.model}
            onChange={(event) => onChange({ model: event.target.value })}
          >
            {models.map((option) => (
              <option key={option.model}>{option.model}</option>
            ))}
          </Select>
        )}
      </Field>
      <div className="grid grid-cols-2 gap-3">
        {sole && sole[0] !== "request" && (
          <QuantityField label={meterName(sole[0])} value={wanted.units} most={1e9} onValue={set("units")} />
        )}
        {model.rates.input && (
          <QuantityField label={t("calc.input")} value={wanted.input} most={1e9} onValue={set("input")} />
        )}
        {model.rates.output && (
          <QuantityField label={t("calc.output")} value={wanted.output} most={1e9} onValue={set("output")} />
        )}
        {model.rates.input && hasTokenRates(model) && (
          <QuantityField
            label={t("calc.cached")}
            value={wanted.cached}
            most={100}
            after="%"
            onValue={set("cached")}
          />
        )}
        <QuantityField label={t("calc.calls")} value={wanted.calls} most={1e9} onValue={set("calls")} />
      </div>
      {Object.keys(usageOf(model, search)).length === 0 ? (
        <p className="help">{t("calc.nothing")}</p>
      ) : estimate.data ? (
        <CalculatedReceipt
          estimate={estimate.data}
          micros={model.multiplier_micros}
          group={group}
          calls={wanted.calls}
        />
      ) : (
        <p className="help" role="status">
          {estimate.error ? textOf(estimate.error) : " "}
        </p>
      )}
    </section>
  )
}
