import { useTranslation } from "react-i18next"
import { Field } from "./field"
import { Input } from "./input"

/** From when prices or costs hold, in the reader's own time; empty: from now on. */
export function EffectiveFrom({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const { t } = useTranslation("admin")
  return (
    <Field label={t("rates.from")} help={t("rates.fromHelp")}>
      {(ids) => (
        <Input
          {...ids}
          type="datetime-local"
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  )
}
