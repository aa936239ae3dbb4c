import { Field } from "../../components/field"
import { Input } from "../../components/input"

/** A whole number, or nothing. */
export function FigureField({
  label,
  help,
  unit,
  error,
  value,
  onValue,
}: {
  label: string
  help?: string
  unit?: string
  error: string | null
  value: string
  onValue: (value: string) => void
}) {
  return (
    <Field label={label} help={help} error={error}>
      {(ids) => (
        <Input
          {...ids}
          className="num"
          inputMode="numeric"
          after={unit && <span className="affix">{unit}</span>}
          value={value}
          onChange={(event) => onValue(event.target.value)}
        />
      )}
    </Field>
  )
}
