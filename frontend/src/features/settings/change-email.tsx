import { useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { Button } from "../../components/button"
import { Field } from "../../components/field"
import { FormDialog } from "../../components/form-dialog"
import { Input } from "../../components/input"
import { say } from "../../components/toast"

/** Moves to another address; it holds once the link in the mail to it was followed. */
export function ChangeEmail() {
  const { t } = useTranslation("settings")
  const [isOpen, setOpen] = useState(false)
  const [email, setEmail] = useState("")
  const [wasSent, setSent] = useState(false)
  const isReady = email.includes("@")
  const submit = () => {
    setSent(true)
    if (!isReady) return null
    return body(api().POST("/api/v1/me/email", { body: { email: email.trim() } })).then(() =>
      say({ tone: "good", title: t("emailMailed", { email: email.trim() }) }),
    )
  }
  return (
    <>
      <Button size="sm" onClick={() => setOpen(true)}>
        {t("changeEmail")}
      </Button>
      <FormDialog
        isOpen={isOpen}
        onClose={() => setOpen(false)}
        onGone={() => {
          setEmail("")
          setSent(false)
        }}
        title={t("changeEmail")}
        text={t("changeEmailText")}
        action={t("changeEmailAction")}
        onSubmit={submit}
      >
        <Field label={t("newEmail")} error={wasSent && !isReady ? t("needNewEmail") : null}>
          {(ids) => (
            <Input
              {...ids}
              type="email"
              autoComplete="email"
              autoFocus
              value={email}
              onChange={(event) => setEmail(event.target.value)}
            />
          )}
        </Field>
      </FormDialog>
    </>
  )
}
