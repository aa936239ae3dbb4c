import { useMutation, useSuspenseQuery } from "@tanstack/react-query"
import { getRouteApi, Link, useRouter } from "@tanstack/react-router"
import { MailCheck } from "lucide-react"
import { type FormEvent, useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { statusQuery } from "../../api/queries"
import { begin } from "../../api/session"
import { Button, ButtonLink } from "../../components/button"
import { Field } from "../../components/field"
import { Input } from "../../components/input"
import { Note } from "../../components/note"
import { Narrow } from "./frame"
import { useSignInProblem } from "./problem-text"

const PASSWORD_LEAST = 10
const route = getRouteApi("/public/register")

function Closed() {
  const { t } = useTranslation("sign-in")
  return (
    <Narrow title={t("closed")} text={t("closedText")}>
      <div className="flex gap-2">
        <ButtonLink look="primary" to="/pricing">
          {t("seePrices")}
        </ButtonLink>
        <ButtonLink to="/sign-in">{t("signIn")}</ButtonLink>
      </div>
    </Narrow>
  )
}

function RegisterForm() {
  const { t } = useTranslation("sign-in")
  const { next, code } = route.useSearch()
  const router = useRouter()
  const textOf = useSignInProblem()
  const [email, setEmail] = useState("")
  const [password, setPassword] = useState("")
  const [wasSent, setSent] = useState(false)
  const register = useMutation({
    mutationFn: () =>
      body(
        api().POST("/api/v1/auth/register", {
          body: { email: email.trim(), password, ...(code && { referral_code: code }) },
        }),
      ),
    onSuccess: (answer) => {
      if (!("access_token" in answer)) return
      begin(answer)
      router.history.push(next ?? "/console")
    },
  })
  const isReady = email.includes("@") && password.length >= PASSWORD_LEAST
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setSent(true)
    if (isReady && !register.isPending) register.mutate()
  }
  if (register.data && !("access_token" in register.data)) {
    return (
      <Narrow title={t("verify")} text={t("verifyText", { email: email.trim() })}>
        <MailCheck className="i" aria-hidden="true" />
      </Narrow>
    )
  }
  return (
    <Narrow title={t("register")} text={t("registerText")}>
      <form className="grid gap-4" onSubmit={submit} noValidate>
        <Field label={t("email")} error={wasSent && !email.includes("@") ? t("needEmail") : null}>
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
        <Field
          label={t("password")}
          help={t("passwordHelp")}
          error={wasSent && password.length < PASSWORD_LEAST ? t("short", { count: password.length }) : null}
        >
          {(ids) => (
            <Input
              {...ids}
              isLarge
              type="password"
              name="password"
              autoComplete="new-password"
              value={password}
              onChange={(event) => setPassword(event.target.value)}
            />
          )}
        </Field>
        {code && (
          <p className="text-13 text-ink-2">
            {t("code")} <span className="mono">{code}</span>
          </p>
        )}
        {register.error && <Note tone="bad">{textOf(register.error)}</Note>}
        <Button type="submit" look="primary" size="lg" isWide isBusy={register.isPending}>
          {t("register")}
        </Button>
      </form>
      <p className="text-13 text-ink-2">
        {t("haveAccount")} <Link to="/sign-in">{t("signIn")}</Link>
      </p>
    </Narrow>
  )
}

/** Says plainly when nobody may register here. */
export default function RegisterPage() {
  const { data: status } = useSuspenseQuery(statusQuery)
  return status.sign_up === "closed" ? <Closed /> : <RegisterForm />
}
