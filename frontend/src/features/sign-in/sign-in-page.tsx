import { useMutation, useSuspenseQuery } from "@tanstack/react-query"
import { getRouteApi, Link, useRouter } from "@tanstack/react-router"
import { type FormEvent, useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { statusQuery } from "../../api/queries"
import { begin } from "../../api/session"
import { Button } from "../../components/button"
import { Field } from "../../components/field"
import { Input } from "../../components/input"
import { Note } from "../../components/note"
import { Narrow } from "./frame"
import { useSignInProblem } from "./problem-text"

const route = getRouteApi("/public/sign-in")

export default function SignInPage() {
  const { t } = useTranslation("sign-in")
  const { next } = route.useSearch()
  const router = useRouter()
  const textOf = useSignInProblem()
  const { data: status } = useSuspenseQuery(statusQuery)
  const [email, setEmail] = useState("")
  const [password, setPassword] = useState("")
  const [wasSent, setSent] = useState(false)
  const signIn = useMutation({
    mutationFn: () => body(api().POST("/api/v1/auth/login", { body: { email: email.trim(), password } })),
    onSuccess: (tokens) => {
      begin(tokens)
      router.history.push(next ?? "/console")
    },
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setSent(true)
    if (email.trim() && password && !signIn.isPending) signIn.mutate()
  }
  return (
    <Narrow title={t("signIn")} text={t("signInText")}>
      <form className="grid gap-4" onSubmit={submit} noValidate>
        <Field label={t("email")} error={wasSent && !email.trim() ? t("needEmail") : null}>
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
        <Field label={t("password")} error={wasSent && !password ? t("needPassword") : null}>
          {(ids) => (
            <Input
              {...ids}
              isLarge
              type="password"
              name="password"
              autoComplete="current-password"
              value={password}
              onChange={(event) => setPassword(event.target.value)}
            />
          )}
        </Field>
        {signIn.error && <Note tone="bad">{textOf(signIn.error)}</Note>}
        <Button type="submit" look="primary" size="lg" isWide isBusy={signIn.isPending}>
          {t("signIn")}
        </Button>
      </form>
      <p className="text-13 text-ink-2">
        {status.sign_up === "closed" ? (
          t("closedShort")
        ) : (
          <>
            {t("noAccount")} <Link to="/register">{t("register")}</Link>
          </>
        )}
      </p>
    </Narrow>
  )
}
