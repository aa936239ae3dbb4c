import { useTranslation } from "react-i18next"
import type { PaymentMethod, Processor } from "../../api/types"
import { Check } from "../../components/choice"
import { Field, type FieldIds } from "../../components/field"
import { Input, Select, TextArea } from "../../components/input"
import { When } from "../../components/when"
import { type ConfigField, configFields, type Fields, type Problems } from "./method-fields"

function useFieldName(): (name: string) => string {
  const { t, i18n } = useTranslation("payment-methods")
  return (name) => {
    const key = `config.${name}`
    return i18n.exists(key, { ns: "payment-methods" }) ? t(key as "config.pid") : name
  }
}

function ConfigInput({
  ids,
  field,
  value,
  onChange,
}: {
  ids: FieldIds
  field: ConfigField
  value: string
  onChange: (value: string) => void
}) {
  const set = (event: { target: { value: string } }) => onChange(event.target.value)
  if (field.kind === "choice")
    return (
      <Select {...ids} value={value || field.initial} onChange={set}>
        {field.choices.map((choice) => (
          <option key={choice}>{choice}</option>
        ))}
      </Select>
    )
  if (field.kind === "long" || field.kind === "pairs")
    return (
      <TextArea
        {...ids}
        rows={4}
        spellCheck={false}
        placeholder={field.initial}
        value={value}
        onChange={set}
      />
    )
  return (
    <Input
      {...ids}
      inputMode={field.kind === "number" ? "numeric" : undefined}
      placeholder={field.initial}
      value={value}
      onChange={set}
    />
  )
}

/** What the processor wants to be told, and its secrets, which go in and never come out. */
export function ProcessorFields({
  processor,
  edited,
  fields,
  wrong,
  onConfig,
  onSecret,
  onPreviousHours,
}: {
  processor: Processor | undefined
  edited: PaymentMethod | null
  fields: Fields
  wrong: Problems
  onConfig: (name: string, value: string) => void
  onSecret: (name: string, value: string) => void
  onPreviousHours: (hours: string) => void
}) {
  const { t } = useTranslation("payment-methods")
  const nameOf = useFieldName()
  if (!processor) return null
  const kept = new Map(edited?.secrets.map((secret) => [secret.field, secret]))
  const isRotated = Object.entries(fields.secrets).some(([name, text]) => text && kept.get(name)?.is_set)
  return (
    <>
      {configFields(processor).map((field) =>
        field.kind === "switch" ? (
          <Check
            key={field.name}
            isOn={(fields.config[field.name] ?? field.initial) === "true"}
            onChange={(isOn) => onConfig(field.name, String(isOn))}
          >
            {nameOf(field.name)}
          </Check>
        ) : (
          <Field
            key={field.name}
            label={nameOf(field.name)}
            help={field.kind === "list" ? t("listHelp") : field.kind === "pairs" ? t("pairsHelp") : undefined}
            error={wrong[`config.${field.name}`] ? t("missing") : null}
          >
            {(ids) => (
              <ConfigInput
                ids={ids}
                field={field}
                value={fields.config[field.name] ?? ""}
                onChange={(value) => onConfig(field.name, value)}
              />
            )}
          </Field>
        ),
      )}
      {processor.secrets.map((name) => {
        const secret = kept.get(name)
        return (
          <Field
            key={name}
            label={nameOf(name)}
            help={
              secret?.set_at ? (
                <>
                  {t("secretSet")} <When at={secret.set_at} />
                  {secret.previous_accepted_until && (
                    <>
                      {" · "}
                      {t("previousUntil")} <When at={secret.previous_accepted_until} as="time" />
                    </>
                  )}
                </>
              ) : (
                t("secretMissing")
              )
            }
          >
            {(ids) =>
              /private_key|public_key/.test(name) ? (
                <TextArea
                  {...ids}
                  className="mono"
                  rows={3}
                  autoComplete="off"
                  spellCheck={false}
                  value={fields.secrets[name] ?? ""}
                  onChange={(event) => onSecret(name, event.target.value)}
                />
              ) : (
                <Input
                  {...ids}
                  type="password"
                  className="mono"
                  autoComplete="new-password"
                  placeholder={secret?.is_set ? "••••••••" : ""}
                  value={fields.secrets[name] ?? ""}
                  onChange={(event) => onSecret(name, event.target.value)}
                />
              )
            }
          </Field>
        )
      })}
      {isRotated && (
        <Field label={t("previousHours")} help={t("previousHoursHelp")}>
          {(ids) => (
            <Input
              {...ids}
              className="num"
              inputMode="numeric"
              value={fields.previousHours}
              onChange={(event) => onPreviousHours(event.target.value)}
            />
          )}
        </Field>
      )}
    </>
  )
}
