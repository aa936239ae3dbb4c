import { useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body, onceOnly } from "../../api/client"
import type { PriceImport, PriceLine } from "../../api/types"
import { Check } from "../../components/choice"
import { EffectiveFrom } from "../../components/effective-from"
import { FormDialog } from "../../components/form-dialog"
import { Note } from "../../components/note"
import { fromLocalInput } from "../../format/time"
import { thinnest } from "./line-columns"

/** Asks once more, says what will happen, and makes prices of the chosen lines: all of them, or none. */
export function AcceptDialog({
  found,
  lines,
  isOpen,
  onClose,
  onAccepted,
}: {
  found: PriceImport
  lines: PriceLine[]
  isOpen: boolean
  onClose: () => void
  onAccepted: (count: number) => Promise<unknown>
}) {
  const { t } = useTranslation(["price-imports", "admin"])
  const [from, setFrom] = useState("")
  const [creates, setCreates] = useState(true)
  const isCost = found.channel_id !== null
  const missing = isCost ? [] : lines.filter(({ is_known }) => !is_known)
  const losing = lines.filter((line) => (thinnest(line) ?? 0) < 0)
  const submit = () =>
    body(
      api().POST("/api/v1/admin/price-imports/{import_id}/accept", {
        params: { path: { import_id: found.id } },
        body: {
          lines: lines.map(({ line }) => line),
          create_models: creates,
          effective_at: fromLocalInput(from),
        },
        headers: { "Idempotency-Key": onceOnly() },
      }),
    ).then(() => onAccepted(lines.length))
  return (
    <FormDialog
      isOpen={isOpen}
      onClose={onClose}
      title={t("acceptTitle", { count: lines.length })}
      text={isCost ? t("acceptCostsText", { name: found.channel ?? "–" }) : t("acceptText")}
      action={t("acceptAction", { count: lines.length })}
      onSubmit={submit}
    >
      <ul className="chosen-lines mono whitespace-normal">
        {lines.slice(0, 8).map((line) => (
          <li key={line.line} className="wrap-anywhere">
            {line.model}
          </li>
        ))}
        {lines.length > 8 && <li className="q">{t("andMore", { count: lines.length - 8 })}</li>}
      </ul>
      {losing.length > 0 && <Note tone="warn">{t("losing", { count: losing.length })}</Note>}
      {missing.length > 0 && (
        <Check isOn={creates} onChange={setCreates}>
          {t("creates", { count: missing.length })}
        </Check>
      )}
      <EffectiveFrom value={from} onChange={setFrom} />
    </FormDialog>
  )
}
