import { useQuery, useSuspenseQuery } from "@tanstack/react-query"
import { type FormEvent, useId, useState } from "react"
import { useTranslation } from "react-i18next"
import { meQuery, pricingQuery, timeZoneQuery } from "../../api/queries"
import type { Key, KeyInput } from "../../api/types"
import { useLedger } from "../../components/amount"
import { Button } from "../../components/button"
import { Dialog } from "../../components/dialog"
import { Field } from "../../components/field"
import { Input, Select, TextArea } from "../../components/input"
import { Note } from "../../components/note"
import { PickMany } from "../../components/pick-many"
import { useProblemText } from "../../components/problem"
import { RateLimitFields } from "../../components/rate-limit-fields"
import { multiplierText } from "../../format/quota"
import { EMPTY, type FieldError, type Fields, fieldsOf, inputOf, mistakes, PERIODS } from "./key-fields"

const isPeriod = (field: FieldError) => PERIODS.some((period) => period === field)
type Set = <Name extends keyof Fields>(name: Name, value: Fields[Name]) => void
type Parts = { fields: Fields; set: Set; errorOf: (name: FieldError, text: string) => string | null }

function Limits({ fields, set, errorOf }: Parts) {
  const { t } = useTranslation("keys")
  const { sign, currency } = useLedger()
  return (
    <div className="grid gap-4 sm:grid-cols-2">
      <Field label={t("form.limit")} help={t("form.limitHelp")} error={errorOf("limit", t("form.limitBad"))}>
        {(ids) => (
          <Input
            {...ids}
            className="num"
            inputMode="decimal"
            placeholder={t("form.unlimited")}
            before={<span className="affix">{sign}</span>}
            after={<span className="affix">{currency}</span>}
            value={fields.limit}
            onChange={(event) => set("limit", event.target.value)}
          />
        )}
      </Field>
      <Field
        label={t("form.expires")}
        help={t("form.expiresHelp")}
        error={errorOf("expires", t("form.expiresPast"))}
      >
        {(ids) => (
          <Input
            {...ids}
            type="datetime-local"
            value={fields.expires}
            onChange={(event) => set("expires", event.target.value)}
          />
        )}
      </Field>
    </div>
  )
}

function Budgets({ fields, set, errorOf }: Parts) {
  const { t } = useTranslation("keys")
  const { sign } = useLedger()
  const { data: me } = useSuspenseQuery(meQuery)
  const zone = useQuery(timeZoneQuery(me.account.id))
  return (
    <fieldset className="grid gap-2">
      <legend className="legend mb-1">{t("form.budgets")}</legend>
      <div className="grid gap-4 sm:grid-cols-3">
        {PERIODS.map((period) => (
          <Field key={period} label={t(`form.per.${period}`)} error={errorOf(period, t("form.limitBad"))}>
            {(ids) => (
              <Input
                {...ids}
                className="num"
                inputMode="decimal"
                placeholder={t("form.unlimited")}
                before={<span className="affix">{sign}</span>}
                value={fields.budgets[period]}
                onChange={(event) => set("budgets", { ...fields.budgets, [period]: event.target.value })}
              />
            )}
          </Field>
        ))}
      </div>
      <p className="help">{t("form.budgetsHelp", { zone: zone.data ?? "UTC" })}</p>
    </fieldset>
  )
}

function AddressesAndRates({ fields, set, errorOf }: Parts) {
  const { t } = useTranslation("keys")
  return (
    <>
      <Field label={t("form.ips")} help={t("form.ipsHelp")}>
        {(ids) => (
          <TextArea
            {...ids}
            className="mono"
            rows={2}
            spellCheck={false}
            value={fields.addresses}
            onChange={(event) => set("addresses", event.target.value)}
          />
        )}
      </Field>
      <RateLimitFields
        texts={fields.rates}
        onChange={(rates) => set("rates", rates)}
        isSent={errorOf("rates", "wrong") !== null}
        help={t("form.ratesHelp")}
      />
    </>
  )
}

function Form({
  edited,
  isBusy,
  error,
  formId,
  onSubmit,
}: {
  edited: Key | null
  isBusy: boolean
  error: unknown
  formId: string
  onSubmit: (input: KeyInput) => void
}) {
  const { t } = useTranslation("keys")
  const { unit } = useLedger()
  const textOf = useProblemText()
  const before = edited ? fieldsOf(edited, unit) : EMPTY
  const [fields, setFields] = useState(before)
  const [wrong, setWrong] = useState<FieldError[]>([])
  const pricing = useQuery(pricingQuery(fields.group || null))
  const set: Set = (name, value) => {
    setFields((old) => ({ ...old, [name]: value }))
    setWrong((old) => old.filter((field) => field !== name && (name !== "budgets" || !isPeriod(field))))
  }
  const errorOf = (name: FieldError, text: string) => (wrong.includes(name) ? text : null)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const found = mistakes(fields, unit, Date.now(), before.expires)
    setWrong(found)
    if (found.length === 0 && !isBusy) onSubmit(inputOf(fields, unit))
  }
  const hasMore = fields.fallbacks || fields.addresses || Object.values(fields.rates).some(Boolean)
  return (
    <form id={formId} className="grid gap-4" onSubmit={submit} noValidate>
      <Field label={t("form.name")} help={t("form.nameHelp")} error={errorOf("name", t("form.nameMissing"))}>
        {(ids) => (
          <Input
            {...ids}
            autoFocus
            maxLength={100}
            value={fields.name}
            onChange={(event) => set("name", event.target.value)}
          />
        )}
      </Field>
      <Limits fields={fields} set={set} errorOf={errorOf} />
      <Budgets fields={fields} set={set} errorOf={errorOf} />
      {pricing.data && pricing.data.groups.length > 1 && (
        <Field label={t("form.group")}>
          {(ids) => (
            <Select {...ids} value={fields.group} onChange={(event) => set("group", event.target.value)}>
              <option value="">{t("form.groupOwn")}</option>
              {pricing.data.groups.map((group) => (
                <option key={group.name} value={group.name}>
                  {group.label || group.name} {multiplierText(group.multiplier_micros)}
                </option>
              ))}
            </Select>
          )}
        </Field>
      )}
      <PickMany
        label={t("form.models")}
        help={t("form.modelsHelp")}
        options={pricing.data?.models.map(({ model }) => model) ?? []}
        chosen={fields.models}
        onChange={(models) => set("models", models)}
      />
      <details className="fold" open={Boolean(hasMore)}>
        <summary>{t("form.more")}</summary>
        <div className="mt-3 grid gap-4">
          <Field label={t("form.fallbacks")} help={t("form.fallbacksHelp")}>
            {(ids) => (
              <TextArea
                {...ids}
                className="mono"
                rows={2}
                spellCheck={false}
                value={fields.fallbacks}
                onChange={(event) => set("fallbacks", event.target.value)}
              />
            )}
          </Field>
          <AddressesAndRates fields={fields} set={set} errorOf={errorOf} />
        </div>
      </details>
      {error ? <Note tone="bad">{textOf(error)}</Note> : null}
    </form>
  )
}

/** The limits of a key: for a new one, or (`edited`) for one there is. */
export function KeyDialog({
  isOpen,
  edited,
  isBusy,
  error,
  onSubmit,
  onClose,
  onGone,
}: {
  isOpen: boolean
  edited: Key | null
  isBusy: boolean
  error: unknown
  onSubmit: (input: KeyInput) => void
  onClose: () => void
  onGone: () => void
}) {
  const { t } = useTranslation(["keys", "common"])
  const formId = useId()
  return (
    <Dialog
      isOpen={isOpen}
      onClose={onClose}
      onGone={onGone}
      title={edited ? t("form.editTitle", { name: edited.name }) : t("form.create")}
      text={edited ? <span className="mono">{edited.prefix}…</span> : t("form.createText")}
      foot={
        <>
          <Button onClick={onClose}>{t("common:cancel")}</Button>
          <Button type="submit" form={formId} look="primary" isBusy={isBusy}>
            {edited ? t("form.save") : t("form.submit")}
          </Button>
        </>
      }
    >
      <Form
        key={edited?.id ?? "new"}
        edited={edited}
        isBusy={isBusy}
        error={error}
        formId={formId}
        onSubmit={onSubmit}
      />
    </Dialog>
  )
}
