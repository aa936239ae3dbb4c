import { useQuery } from "@tanstack/react-query"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import { groupsQuery } from "../../api/operator-queries"
import type { MethodDraft, PaymentMethod, Processor } from "../../api/types"
import { useLedger } from "../../components/amount"
import { Check } from "../../components/choice"
import { Field } from "../../components/field"
import { FormDialog } from "../../components/form-dialog"
import { Input, Select, TextArea } from "../../components/input"
import { PickMany } from "../../components/pick-many"
import { configFields, type Fields, fieldsOf, NEW, type Problems, read } from "./method-fields"
import { ProcessorFields } from "./processor-fields"
import { RowEditor } from "./row-editor"

type TextField = {
  [Name in keyof Fields]: Fields[Name] extends string ? Name : never
}[keyof Fields]

/** A payment method: a new one, or (`edited`) one there is. Amounts are typed in its own currency. */
export function MethodForm({
  isOpen,
  edited,
  processors,
  onClose,
  onGone,
  onSubmit,
}: {
  isOpen: boolean
  edited: PaymentMethod | null
  processors: Processor[]
  onClose: () => void
  onGone: () => void
  onSubmit: (draft: MethodDraft, previousHours: number) => Promise<unknown>
}) {
  const { t } = useTranslation("payment-methods")
  const { unit, sign, currency: ledger } = useLedger()
  const { data: groups } = useQuery(groupsQuery)
  const first = processors[0]?.name ?? ""
  const [fields, setFields] = useState<Fields>(edited ? fieldsOf(edited, unit) : { ...NEW, processor: first })
  const [wrong, setWrong] = useState<Problems>({})
  const processor = processors.find(({ name }) => name === fields.processor)
  const change = (part: Partial<Fields>) => {
    setFields((before) => ({ ...before, ...part }))
    setWrong({})
  }
  const input = (name: TextField) => ({
    value: fields[name],
    onChange: (event: { target: { value: string } }) => change({ [name]: event.target.value }),
  })
  const says = (name: string, text: string) => (wrong[name] ? text : null)
  const money = (name: TextField, label: string, help?: string) => (
    <Field label={label} help={help} error={says(name, t("amountBad"))}>
      {(ids) => (
        <Input
          {...ids}
          className="num"
          inputMode="decimal"
          after={<span className="affix">{fields.currency}</span>}
          {...input(name)}
        />
      )}
    </Field>
  )
  const submit = () => {
    const found = read(fields, configFields(processor), unit)
    setWrong(found.wrong ?? {})
    return found.draft ? onSubmit(found.draft, Number(fields.previousHours) || 0) : null
  }
  return (
    <FormDialog
      isOpen={isOpen}
      onClose={onClose}
      onGone={onGone}
      title={edited ? t("editTitle", { name: edited.label }) : t("new")}
      text={t("formText")}
      action={edited ? t("save") : t("create")}
      onSubmit={submit}
    >
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label={t("label")} help={t("labelHelp")} error={says("label", t("missing"))}>
          {(ids) => <Input {...ids} autoFocus maxLength={120} {...input("label")} />}
        </Field>
        <Field label={t("id")} help={t("idHelp")} error={says("id", t("idBad"))}>
          {(ids) => <Input {...ids} className="mono" maxLength={63} disabled={!!edited} {...input("id")} />}
        </Field>
        <Field label={t("processor")}>
          {(ids) => (
            <Select
              {...ids}
              disabled={!!edited}
              value={fields.processor}
              onChange={(event) => change({ processor: event.target.value, config: {}, secrets: {} })}
            >
              {processors.map(({ name }) => (
                <option key={name}>{name}</option>
              ))}
            </Select>
          )}
        </Field>
        <Field label={t("currency")} error={says("currency", t("currencyBad"))}>
          {(ids) => (
            <Input
              {...ids}
              className="mono"
              maxLength={3}
              value={fields.currency}
              onChange={(event) => change({ currency: event.target.value.toUpperCase() })}
            />
          )}
        </Field>
        <Field
          label={t("rate", { currency: fields.currency })}
          help={t("rateHelp")}
          error={says("rate", t("rateBad"))}
        >
          {(ids) => (
            <Input
              {...ids}
              className="num"
              inputMode="decimal"
              before={<span className="affix">{sign}</span>}
              after={<span className="affix">{ledger}</span>}
              {...input("rate")}
            />
          )}
        </Field>
        <Field
          label={t("orderMinutes")}
          help={t("orderMinutesHelp")}
          error={says("orderMinutes", t("minutesBad"))}
        >
          {(ids) => <Input {...ids} className="num" inputMode="numeric" {...input("orderMinutes")} />}
        </Field>
        {money("minimum", t("minimum"))}
        {money("maximum", t("maximum"))}
        {money("feeFixed", t("feeFixed"), t("feeHelp"))}
        <Field label={t("feePercent")} error={says("feePercent", t("percentBad"))}>
          {(ids) => (
            <Input
              {...ids}
              className="num"
              inputMode="decimal"
              after={<span className="affix">%</span>}
              {...input("feePercent")}
            />
          )}
        </Field>
      </div>
      <Field label={t("text")} help={t("textHelp")}>
        {(ids) => <TextArea {...ids} rows={2} maxLength={4000} {...input("text")} />}
      </Field>
      <Check isOn={fields.customAmount} onChange={(customAmount) => change({ customAmount })}>
        {t("customAmount")}
      </Check>
      <RowEditor
        title={t("packages")}
        help={t("packagesHelp")}
        add={t("addPackage")}
        fields={[
          { name: "label", label: t("packageLabel") },
          { name: "amount", label: t("packageAmount"), affix: fields.currency, isNumber: true },
          { name: "quota", label: t("packageQuota"), affix: ledger, isNumber: true },
          { name: "bonus", label: t("packageBonus"), affix: ledger, isNumber: true },
        ]}
        rows={fields.packages}
        wrong={(at) => says(`packages.${at}`, t("packageBad"))}
        onChange={(packages) => change({ packages })}
      />
      <RowEditor
        title={t("tiers")}
        help={t("tiersHelp")}
        add={t("addTier")}
        fields={[
          { name: "minimum", label: t("tierFrom"), affix: fields.currency, isNumber: true },
          { name: "percent", label: t("tierPercent"), affix: "%", isNumber: true },
          { name: "quota", label: t("tierQuota"), affix: ledger, isNumber: true },
          { name: "groups", label: t("tierGroups") },
        ]}
        rows={fields.tiers}
        wrong={(at) => says(`tiers.${at}`, t("tierBad"))}
        onChange={(tiers) => change({ tiers })}
      />
      <PickMany
        label={t("groups")}
        help={t("groupsHelp")}
        options={groups?.map(({ name }) => name) ?? []}
        chosen={fields.groups}
        onChange={(names) => change({ groups: names })}
      />
      <ProcessorFields
        processor={processor}
        edited={edited}
        fields={fields}
        wrong={wrong}
        onConfig={(name, value) => change({ config: { ...fields.config, [name]: value } })}
        onSecret={(name, value) => change({ secrets: { ...fields.secrets, [name]: value } })}
        onPreviousHours={(previousHours) => change({ previousHours })}
      />
    </FormDialog>
  )
}
