import { useState } from "react"
import { useTranslation } from "react-i18next"
import type { Batch, BatchChanges } from "../../api/types"
import { Field } from "../../components/field"
import { FormDialog } from "../../components/form-dialog"
import { Input } from "../../components/input"
import { useNow } from "../../components/when"
import { fromLocalInput, toLocalInput } from "../../format/time"

/** Whether a batch has ended for good: what is over is never opened again. */
export function isClosed(batch: Batch, now: number): boolean {
  return batch.revoked_at !== null || (batch.expires_at !== null && Date.parse(batch.expires_at) <= now)
}

/** Another name for a batch, and another end while it is open. */
export function EditDialog({
  batch,
  isOpen,
  onClose,
  onGone,
  onSubmit,
}: {
  batch: Batch
  isOpen: boolean
  onClose: () => void
  onGone: () => void
  onSubmit: (changes: BatchChanges) => Promise<unknown>
}) {
  const { t } = useTranslation(["codes", "admin"])
  const now = useNow()
  const [name, setName] = useState(batch.name)
  const before = batch.expires_at ? toLocalInput(batch.expires_at) : ""
  const [ends, setEnds] = useState(before)
  const [wasSent, setSent] = useState(false)
  const expires = fromLocalInput(ends)
  const isOver = isClosed(batch, now)
  const wrong =
    expires !== null && Date.parse(expires) <= now
      ? t("admin:codes.past")
      : batch.is_campaign && expires === null
        ? t("needsEnd")
        : null
  const isMoved = !isOver && ends !== before
  const submit = () => {
    setSent(true)
    if (!name.trim() || (isMoved && wrong)) return null
    return onSubmit({ name: name.trim(), ...(isMoved && { expires_at: expires }) })
  }
  return (
    <FormDialog
      isOpen={isOpen}
      onClose={onClose}
      onGone={onGone}
      title={t("editOf", { name: batch.name })}
      action={t("save")}
      onSubmit={submit}
    >
      <Field
        label={t("admin:codes.name")}
        help={t("admin:codes.nameHelp")}
        error={wasSent && !name.trim() ? t("admin:codes.nameMissing") : null}
      >
        {(ids) => (
          <Input
            {...ids}
            autoFocus
            maxLength={120}
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
        )}
      </Field>
      <Field
        label={t("admin:codes.expires")}
        help={isOver ? t("isOver") : batch.is_campaign ? t("needsEnd") : t("admin:codes.expiresHelp")}
        error={wasSent && isMoved ? wrong : null}
      >
        {(ids) => (
          <Input
            {...ids}
            type="datetime-local"
            disabled={isOver}
            value={ends}
            onChange={(event) => setEnds(event.target.value)}
          />
        )}
      </Field>
    </FormDialog>
  )
}
