import { useState } from "react"
import { useTranslation } from "react-i18next"
import type { Credential } from "../../api/types"
import { Field } from "../../components/field"
import { FormDialog } from "../../components/form-dialog"
import { Input, TextArea } from "../../components/input"
import { useCredentialName } from "./channel-acts"

/** Adds a credential, or renames one there is. Its secret goes in and never comes out. */
export function CredentialForm({
  credential,
  isOpen,
  form,
  onClose,
  onGone,
  onAdd,
  onRename,
}: {
  /** Null: a new one. */
  credential: Credential | null
  isOpen: boolean
  form: string
  onClose: () => void
  onGone: () => void
  onAdd: (secret: string, label: string) => Promise<unknown>
  onRename: (credential: Credential, label: string) => Promise<unknown>
}) {
  const { t } = useTranslation("channels")
  const nameOf = useCredentialName()
  const [secret, setSecret] = useState("")
  const [label, setLabel] = useState(credential?.label ?? "")
  const [isWrong, setWrong] = useState(false)
  const submit = () => {
    if (credential) return onRename(credential, label.trim())
    setWrong(secret.trim() === "")
    return secret.trim() === "" ? null : onAdd(secret.trim(), label.trim())
  }
  return (
    <FormDialog
      isOpen={isOpen}
      onClose={onClose}
      onGone={onGone}
      title={credential ? t("cred.renameTitle", { name: nameOf(credential) }) : t("cred.addTitle")}
      text={credential ? undefined : t("cred.addText")}
      action={credential ? t("save") : t("cred.add")}
      onSubmit={submit}
    >
      {!credential && (
        <Field label={t("cred.secret")} help={form} error={isWrong ? t("cred.secretMissing") : null}>
          {(ids) => (
            <TextArea
              {...ids}
              className="mono"
              rows={2}
              autoFocus
              autoComplete="off"
              spellCheck={false}
              value={secret}
              onChange={(event) => setSecret(event.target.value)}
            />
          )}
        </Field>
      )}
      <Field label={t("cred.label")} help={t("cred.labelHelp")}>
        {(ids) => (
          <Input
            {...ids}
            autoFocus={credential !== null}
            maxLength={120}
            value={label}
            onChange={(event) => setLabel(event.target.value)}
          />
        )}
      </Field>
    </FormDialog>
  )
}
