import { Search } from "lucide-react"
import { useId, useState } from "react"
import { useTranslation } from "react-i18next"
import { Check } from "./choice"
import { Input } from "./input"

const SEARCHED_FROM = 8

/** Any number of names. A chosen name that is no longer offered stays in sight. */
export function PickMany({
  label,
  help,
  options,
  chosen,
  onChange,
}: {
  label: string
  help: string
  options: string[]
  chosen: string[]
  onChange: (chosen: string[]) => void
}) {
  const { t } = useTranslation()
  const id = useId()
  const [text, setText] = useState("")
  const all = [...new Set([...options, ...chosen])].sort((a, b) =>
    a.localeCompare(b, "en", { numeric: true }),
  )
  const shown = all.filter((name) => name.toLowerCase().includes(text.trim().toLowerCase()))
  return (
    <fieldset className="field" aria-describedby={id}>
      <legend className="legend mb-1.5">{label}</legend>
      {all.length > 0 && (
        <div className="well overflow-hidden">
          {all.length >= SEARCHED_FROM && (
            <Input
              boxClass="bare"
              type="search"
              aria-label={t("find")}
              placeholder={t("find")}
              value={text}
              onChange={(event) => setText(event.target.value)}
              before={<Search className="i i-sm" aria-hidden="true" />}
            />
          )}
          <div className="grid max-h-44 gap-x-4 gap-y-1.5 overflow-auto p-2.5 sm:grid-cols-2">
            {shown.map((name) => (
              <Check
                key={name}
                isOn={chosen.includes(name)}
                onChange={(isOn) =>
                  onChange(isOn ? [...chosen, name] : chosen.filter((other) => other !== name))
                }
              >
                <span className="mono wrap-anywhere">{name}</span>
              </Check>
            ))}
          </div>
        </div>
      )}
      <span id={id} className="help">
        {chosen.length > 0 ? t("chosen", { count: chosen.length }) : help}
      </span>
    </fieldset>
  )
}
