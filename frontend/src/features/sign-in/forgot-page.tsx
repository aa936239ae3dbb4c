import { useMutation, useSuspenseQuery } from "@tanstack/react-query"
import { Link } from "@tanstack/react-router"
import { type FormEvent, useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { statusQuery } from "../../api/queries"
import { Button, ButtonLink } from "../../components/button"
import { Field } from "../../components/field"
import { Input } from "../../components/input"
import { Note } from "../../components/note"
import { Narrow } from "./frame"
import { useSignInProblem } from "./problem-text"

/** Asks for the mail with which a new password is chosen. What it says is the same for every address. */
export default function ForgotPage() {
  const { t } = useTranslation("sign-in")
  const { data: status } = useSuspenseQuery(statusQuery)
  const textOf = useSignInProblem()
  const [email, setEmail] = useState("")
  const [wasSent, setSent] = useState(false)
  const ask = useMutation({
    mutationFn: () => body(api().POST("/api/v1/auth/password-reset", { body: { email: email.trim() } })),
  })
  const isReady = email.includes("@")
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setSent(true)
    if (isReady && !ask.isPending) ask.mutate()
  }
  if (!status.registration.password_reset) {
    return (
      <Narrow title={t("forgot")} text={t("forgotNoMail")}>
        <div>
          <ButtonLink to="/sign-in">{t("signIn")}</ButtonLink>
        </div>
      </Narrow>
    )
  }
  if (ask.isSuccess) {
    return (
      <Narrow title={t("verify")} text={t("forgotSent", { email: email.trim() })}>
        <div>
          <ButtonLink to="/sign-in">{t("signIn")}</ButtonLink>
        </div>
      </Narrow>
    )
  }
  return (
    <Narrow title={t("forgot")} text={t("forgotText")}>
      <form className="grid gap-4" onSubmit={submit} noValidate>
        <Field label={t("email")} error={wasSent && !isReady ? t("needEmail") : null}>
          {(ids) => (
            <Input
              {...ids}
              isLarge
              type="email"
              name="email"
              autoComplete="username"
              autoFocus
              value={email}
              onChange={(event) => setEmail(event.target.value)}
            />
          )}
        </Field>
        {ask.error && <Note tone="bad">{textOf(ask.error)}</Note>}
        <Button type="submit" look="primary" size="lg" isWide isBusy={ask.isPending}>
          {t("forgotAction")}
        </Button>
      </form>
      <p className="text-13 text-ink-2">
        <Link to="/sign-in">{t("signIn")}</Link>
      </p>
    </Narrow>
  )
}
