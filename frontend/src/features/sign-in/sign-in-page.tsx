import { useMutation, useSuspenseQuery } from "@tanstack/react-query"
import { getRouteApi, Link, useRouter } from "@tanstack/react-router"
import { type FormEvent, useEffect, useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { asProblem, Problem } from "../../api/problem"
import { statusQuery } from "../../api/queries"
import { begin, type Tokens, takeUp } from "../../api/session"
import { Button } from "../../components/button"
import { Field } from "../../components/field"
import { Input } from "../../components/input"
import { Note } from "../../components/note"
import { ForgotLink } from "./forgot-link"
import { Narrow } from "./frame"
import { OtherWays } from "./other-ways"
import { useSignInProblem } from "./problem-text"
import { type StepMethod, stepMethods } from "./search"
import { SecondStep } from "./second-step"
import { SendAgain } from "./send-again"

const route = getRouteApi("/public/sign-in")

type Pending = { token: string | null; methods: StepMethod[] }

/** What a refusal says of the second step; null when it is another refusal. */
function pendingIn(error: unknown): Pending | null {
  const { code, facts } = asProblem(error)
  if (code !== "mfa_required" || typeof facts.mfa_token !== "string" || !Array.isArray(facts.methods))
    return null
  return { token: facts.mfa_token, methods: stepMethods(facts.methods) }
}

function PasswordForm({
  onIn,
  onPending,
}: {
  onIn: (tokens: Tokens) => void
  onPending: (pending: Pending) => void
}) {
  const { t } = useTranslation("sign-in")
  const textOf = useSignInProblem()
  const [email, setEmail] = useState("")
  const [password, setPassword] = useState("")
  const [wasSent, setSent] = useState(false)
  const signIn = useMutation({
    mutationFn: () => body(api().POST("/api/v1/auth/login", { body: { email: email.trim(), password } })),
    onSuccess: onIn,
    onError: (error) => {
      const pending = pendingIn(error)
      if (pending) onPending(pending)
    },
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setSent(true)
    if (email.trim() && password && !signIn.isPending) signIn.mutate()
  }
  return (
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
      <SendAgain email={email.trim()} error={signIn.error} />
      <Button type="submit" look="primary" size="lg" isWide isBusy={signIn.isPending}>
        {t("signIn")}
      </Button>
      <ForgotLink />
    </form>
  )
}

/** Back from an identity provider with a session in its cookie. */
function Returning({ next }: { next: string }) {
  const { t } = useTranslation("sign-in")
  const router = useRouter()
  useEffect(() => {
    void takeUp().then((isIn) => router.history.replace(isIn ? next : "/sign-in?problem=session_expired"))
  }, [next, router])
  return (
    <Narrow title={t("signIn")} text={t("returning")}>
      <div aria-busy="true" />
    </Narrow>
  )
}

export default function SignInPage() {
  const { t } = useTranslation("sign-in")
  const { next, step, methods, problem } = route.useSearch()
  const router = useRouter()
  const textOf = useSignInProblem()
  const { data: status } = useSuspenseQuery(statusQuery)
  const [pending, setPending] = useState<Pending | null>(
    step === "second" ? { token: null, methods: stepMethods((methods ?? "").split(",")) } : null,
  )
  const target = next ?? "/console"
  const enter = (tokens: Tokens) => {
    begin(tokens)
    router.history.push(target)
  }
  if (step === "done") return <Returning next={target} />
  if (pending)
    return (
      <SecondStep
        token={pending.token}
        methods={pending.methods}
        onIn={enter}
        onAgain={() => {
          setPending(null)
          void router.navigate({ to: "/sign-in", search: next ? { next } : {} })
        }}
      />
    )
  return (
    <Narrow title={t("signIn")} text={t("signInText")}>
      {problem && <Note tone="bad">{textOf(new Problem(problem, 0, "", null, {}))}</Note>}
      {status.sign_in.includes("password") && <PasswordForm onIn={enter} onPending={setPending} />}
      <OtherWays status={status} next={next} onIn={enter} />
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
