import { useTranslation } from "react-i18next"
import { useLedger } from "../../components/amount"
import { Switch } from "../../components/choice"
import { Field } from "../../components/field"
import { Input, Select, TextArea } from "../../components/input"
import { type PolicyField, type Raw, rawOf } from "./schema"
import { usePolicyWords } from "./words"

/** One field of a policy, as its kind asks for. */
export function FieldInput({
  topic,
  field,
  raw,
  error,
  onRaw,
}: {
  topic: string
  field: PolicyField
  raw: Raw
  error: string | null
  onRaw: (raw: Raw) => void
}) {
  const { t } = useTranslation("policies")
  const words = usePolicyWords()
  const { unit, sign, currency } = useLedger()
  const label = words.label(topic, field.name)
  const initial = rawOf(field, field.initial, unit)
  const defaultText =
    typeof initial === "boolean"
      ? t(initial ? "on" : "off")
      : field.kind === "choice"
        ? words.option(topic, field.name, initial)
        : initial || t("empty")
  const help = (
    <>
      {words.help(topic, field.name)}
      {raw !== initial && <span className="block">{t("default", { value: defaultText })}</span>}
    </>
  )
  if (typeof raw === "boolean") {
    return (
      <Field label={label} help={help} error={error}>
        {() => <Switch label={label} isOn={raw} onChange={onRaw} />}
      </Field>
    )
  }
  const typed = {
    value: raw,
    onChange: (event: { target: { value: string } }) => onRaw(event.target.value),
  }
  return (
    <Field label={label} help={help} error={error}>
      {(ids) => {
        if (field.kind === "choice") {
          return (
            <Select {...ids} {...typed}>
              {field.options.map((option) => (
                <option key={option} value={option}>
                  {words.option(topic, field.name, option)}
                </option>
              ))}
            </Select>
          )
        }
        if (field.kind === "lines" || field.kind === "pairs" || field.kind === "long") {
          const rows = Math.min(10, Math.max(3, raw.split("\n").length + 1))
          return (
            <TextArea
              {...ids}
              {...typed}
              rows={rows}
              placeholder={
                field.kind === "pairs"
                  ? (words.example(topic, field.name) ?? t("pairs"))
                  : field.kind === "lines"
                    ? t("lines")
                    : undefined
              }
            />
          )
        }
        const isFigure = field.kind !== "text"
        return (
          <Input
            {...ids}
            {...typed}
            {...(isFigure && { className: "num", inputMode: "decimal" as const })}
            placeholder={field.isOptional ? t("none") : undefined}
            {...(field.kind === "amount" && {
              before: <span className="affix">{sign}</span>,
              after: <span className="affix">{currency}</span>,
            })}
          />
        )
      }}
    </Field>
  )
}
