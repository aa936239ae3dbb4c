import { Plus, Sparkles, X } from "lucide-react"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import type { Channel } from "../../api/types"
import { Button } from "../../components/button"
import { Input } from "../../components/input"
import type { PartProps } from "./address-part"
import { DiscoverDialog } from "./discover-dialog"
import { isBadLine, type ModelLine, newLine } from "./fields"
import { Part } from "./part"

function Line({
  line,
  isBad,
  nth,
  onChange,
  onRemove,
}: {
  line: ModelLine
  isBad: boolean
  nth: number
  onChange: (part: Partial<ModelLine>) => void
  onRemove: () => void
}) {
  const { t } = useTranslation("channels")
  const where = t("model.line", { n: nth })
  return (
    <>
      <Input
        className="mono"
        aria-label={`${t("model.name")}, ${where}`}
        aria-invalid={isBad || undefined}
        spellCheck={false}
        maxLength={200}
        value={line.name}
        onChange={(event) => onChange({ name: event.target.value })}
      />
      <Input
        className="mono"
        aria-label={`${t("model.upstream")}, ${where}`}
        spellCheck={false}
        maxLength={400}
        placeholder={line.name.trim() || t("model.same")}
        value={line.upstream}
        onChange={(event) => onChange({ upstream: event.target.value })}
      />
      <Button
        look="ghost"
        isIcon
        aria-label={t("model.remove", { name: line.name || where })}
        onClick={onRemove}
      >
        <X className="i" aria-hidden="true" />
      </Button>
    </>
  )
}

/** Public name -> the provider's name, line by line, or picked from the provider's own list. */
export function ModelsPart({
  fields,
  set,
  wrong,
  channel,
  isAddressNew,
}: PartProps & { channel: Channel | null; isAddressNew: boolean }) {
  const { t } = useTranslation("channels")
  const [isAsking, setAsking] = useState<boolean | null>(null)
  const change = (id: number, part: Partial<ModelLine>) =>
    set({ models: fields.models.map((line) => (line.id === id ? { ...line, ...part } : line)) })
  return (
    <Part title={t("model.title")} text={t("model.text")}>
      {fields.models.length === 0 ? (
        <p className="help">{t("model.empty")}</p>
      ) : (
        <div className="model-lines">
          <span className="col">{t("model.name")}</span>
          <span className="col">{t("model.upstream")}</span>
          <span />
          {fields.models.map((line, index) => (
            <Line
              key={line.id}
              line={line}
              nth={index + 1}
              isBad={wrong.includes("models") && isBadLine(line, fields.models)}
              onChange={(part) => change(line.id, part)}
              onRemove={() => set({ models: fields.models.filter(({ id }) => id !== line.id) })}
            />
          ))}
        </div>
      )}
      {wrong.includes("models") && (
        <span className="error" role="alert">
          {t("model.bad")}
        </span>
      )}
      <div className="flex flex-wrap gap-2">
        <Button onClick={() => setAsking(true)}>
          <Sparkles className="i" aria-hidden="true" />
          {t("model.find")}
        </Button>
        <Button look="ghost" onClick={() => set({ models: [...fields.models, newLine()] })}>
          <Plus className="i" aria-hidden="true" />
          {t("model.add")}
        </Button>
      </div>
      {isAsking !== null && (
        <DiscoverDialog
          isOpen={isAsking}
          fields={fields}
          channel={channel}
          isAddressNew={isAddressNew}
          onClose={() => setAsking(false)}
          onGone={() => setAsking(null)}
          onPick={(names) => set({ models: [...fields.models, ...names.map((name) => newLine(name))] })}
        />
      )}
    </Part>
  )
}
