import { useMutation } from "@tanstack/react-query"
import { type FormEvent, useId, useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body, onceOnly } from "../../api/client"
import type { Key } from "../../api/types"
import { Button } from "../../components/button"
import { Dialog } from "../../components/dialog"
import { Field } from "../../components/field"
import type { Open } from "../../components/form-dialog"
import { Select } from "../../components/input"
import { Note } from "../../components/note"
import { useProblemText } from "../../components/problem"
import { useKeyActs } from "./key-acts"
import { type NewKey, SecretDialog } from "./secret-dialog"

const GRACES = { none: 0, hour: 3_600, day: 86_400, week: 604_800 } as const
type Grace = keyof typeof GRACES

/** A new secret for a key: how long the old one works yet, then the new one, shown this once. */
export function RotateKey({ open, model, onClose }: { open: Open<Key>; model: string; onClose: () => void }) {
  const { t } = useTranslation(["keys", "common"])
  const formId = useId()
  const textOf = useProblemText()
  const { refresh } = useKeyActs()
  const [grace, setGrace] = useState<Grace>("hour")
  const [made, setMade] = useState<NewKey | null>(null)
  // The secret is kept in this component only: gcTime 0 leaves none in the cache.
  const rotate = useMutation({
    gcTime: 0,
    mutationFn: (key: Key) =>
      body(
        api().POST("/api/v1/keys/{key_id}/rotate", {
          params: { path: { key_id: key.id } },
          body: { grace_seconds: GRACES[grace] },
          headers: { "Idempotency-Key": onceOnly() },
        }),
      ),
    onSuccess: (key) => {
      onClose()
      setMade(key)
      void refresh()
    },
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (open && !rotate.isPending) rotate.mutate(open.thing)
  }
  return (
    <>
      {open && (
        <Dialog
          isOpen={open.isOpen}
          onClose={onClose}
          onGone={rotate.reset}
          title={t("rotate.title", { name: open.thing.name })}
          text={t("rotate.text")}
          foot={
            <>
              <Button onClick={onClose}>{t("common:cancel")}</Button>
              <Button type="submit" form={formId} look="primary" isBusy={rotate.isPending}>
                {t("rotate.submit")}
              </Button>
            </>
          }
        >
          <form id={formId} className="grid gap-4" onSubmit={submit}>
            <Field
              label={t("rotate.grace")}
              help={t(grace === "none" ? "rotate.noneHelp" : "rotate.graceHelp")}
            >
              {(ids) => (
                <Select {...ids} value={grace} onChange={(event) => setGrace(event.target.value as Grace)}>
                  {(Object.keys(GRACES) as Grace[]).map((name) => (
                    <option key={name} value={name}>
                      {t(`rotate.graces.${name}`)}
                    </option>
                  ))}
                </Select>
              )}
            </Field>
            {open.thing.previous_secret_until && <Note tone="warn">{t("rotate.twice")}</Note>}
            {rotate.error && <Note tone="bad">{textOf(rotate.error)}</Note>}
          </form>
        </Dialog>
      )}
      {made && <SecretDialog made={made} model={made.models?.[0] ?? model} onDone={() => setMade(null)} />}
    </>
  )
}
