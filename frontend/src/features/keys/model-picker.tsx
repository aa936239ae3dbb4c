import { Search } from "lucide-react"
import { useId, useState } from "react"
import { useTranslation } from "react-i18next"
import { Check } from "../../components/choice"
import { Input } from "../../components/input"

const SEARCHED_FROM = 8

/** Any number of models; none chosen means all. A chosen model that is no longer offered stays in sight. */
export function ModelPicker({
  models,
  chosen,
  onChange,
}: {
  models: string[]
  chosen: string[]
  onChange: (chosen: string[]) => void
}) {
  const { t } = useTranslation("keys")
  const id = useId()
  const [text, setText] = useState("")
  const all = [...new Set([...models, ...chosen])].sort((a, b) => a.localeCompare(b, "en", { numeric: true }))
  const shown = all.filter((model) => model.toLowerCase().includes(text.trim().toLowerCase()))
  return (
    <fieldset className="field" aria-describedby={id}>
      <legend className="legend mb-1.5">{t("form.models")}</legend>
      <div className="well overflow-hidden">
        {all.length >= SEARCHED_FROM && (
          <Input
            boxClass="bare"
            type="search"
            aria-label={t("form.search")}
            placeholder={t("form.search")}
            value={text}
            onChange={(event) => setText(event.target.value)}
            before={<Search className="i i-sm" aria-hidden="true" />}
          />
        )}
        <div className="grid max-h-44 gap-x-4 gap-y-1.5 overflow-auto p-2.5 sm:grid-cols-2">
          {shown.map((model) => (
            <Check
              key={model}
              isOn={chosen.includes(model)}
              onChange={(isOn) =>
                onChange(isOn ? [...chosen, model] : chosen.filter((name) => name !== model))
              }
            >
              <span className="mono wrap-anywhere">{model}</span>
            </Check>
          ))}
        </div>
      </div>
      <span id={id} className="help">
        {chosen.length > 0 ? t("form.chosen", { count: chosen.length }) : t("form.modelsHelp")}
      </span>
    </fieldset>
  )
}
