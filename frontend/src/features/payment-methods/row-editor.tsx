import { Plus, X } from "lucide-react"
import { useTranslation } from "react-i18next"
import { Button } from "../../components/button"
import { Input } from "../../components/input"
import type { Row } from "./method-fields"

export type RowField = { name: string; label: string; affix?: string; isNumber?: boolean }

/** A short table to type into: packages, tiers. Each field names itself to screen readers with its row. */
export function RowEditor({
  title,
  help,
  add,
  fields,
  rows,
  wrong,
  onChange,
}: {
  title: string
  help: string
  add: string
  fields: RowField[]
  rows: Row[]
  wrong: (at: number) => string | null
  onChange: (rows: Row[]) => void
}) {
  const { t } = useTranslation("payment-methods")
  const set = (at: number, name: string, value: string) =>
    onChange(rows.map((row, index) => (index === at ? { ...row, [name]: value } : row)))
  return (
    <fieldset className="field">
      <legend className="text-13 font-semibold">{title}</legend>
      <span className="help">{help}</span>
      {rows.map((row, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: rows have no other name while they are typed
        <div key={at} className="grid gap-1">
          <div className="flex items-end gap-2">
            <div
              className="grid min-w-0 flex-1 gap-2 sm:grid-cols-[repeat(var(--n),minmax(0,1fr))]"
              style={{ "--n": fields.length } as React.CSSProperties}
            >
              {fields.map((field) => (
                <Input
                  key={field.name}
                  className={field.isNumber ? "num" : undefined}
                  inputMode={field.isNumber ? "decimal" : undefined}
                  aria-label={`${field.label} ${at + 1}`}
                  placeholder={field.label}
                  after={field.affix ? <span className="affix">{field.affix}</span> : undefined}
                  value={row[field.name] ?? ""}
                  onChange={(event) => set(at, field.name, event.target.value)}
                />
              ))}
            </div>
            <Button
              look="ghost"
              size="sm"
              isIcon
              aria-label={t("removeRow", { at: at + 1 })}
              onClick={() => onChange(rows.filter((_, index) => index !== at))}
            >
              <X className="i" aria-hidden="true" />
            </Button>
          </div>
          {wrong(at) && (
            <span className="error" role="alert">
              {wrong(at)}
            </span>
          )}
        </div>
      ))}
      <div>
        <Button size="sm" onClick={() => onChange([...rows, {}])}>
          <Plus className="i i-sm" aria-hidden="true" />
          {add}
        </Button>
      </div>
    </fieldset>
  )
}
