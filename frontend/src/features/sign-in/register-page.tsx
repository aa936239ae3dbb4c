import { useMutation, useSuspenseQuery } from "@tanstack/react-query"
import { getRouteApi, Link, useRouter } from "@tanstack/react-router"
import { type FormEvent, useCallback, useRef, useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { statusQuery } from "../../api/queries"
import { begin, type Tokens } from "../../api/session"
import type { Status } from "../../api/types"
import { Button, ButtonLink } from "../../components/button"
import { Field } from "../../components/field"
import { Input } from "../../components/input"
import { NewPassword } from "../../components/new-password"
import { Note } from "../../components/note"
import { PASSWORD_LEAST } from "../../components/password-hint"
import { drawWidget, proveWork } from "./challenge"
import { Narrow } from "./frame"
import { MailSent } from "./mail-sent"
import { OtherWays } from "./other-ways"
import { useSignInProblem } from "./problem-text"

const route = getRouteApi("/public/register")

type Challenge = Status["registration"]["challenge"]

function Closed({ isByInvitation }: { isByInvitation: boolean }) {
  const { t } = useTranslation("sign-in")
  return (
    <Narrow title={t("closed")} text={t(isByInvitation ? "invitationOnlyText" : "closedText")}>
      <div className="flex gap-2">
        <ButtonLink look="primary" to="/pricing">
          {t("seePrices")}
        </ButtonLink>
        <ButtonLink to="/sign-in">{t("signIn")}</ButtonLink>
      </div>
    </Narrow>
  )
}

/** The operator's widget; what it answers is worth one registration. */
function Widget({
  challenge,
  onAnswer,
}: {
  challenge: NonNullable<Challenge>
  onAnswer: (answer: string) => void
}) {
  const { t } = useTranslation("sign-in")
  const [isMissing, setMissing] = useState(false)
  const draw = useCallback(
    (element: HTMLDivElement | null) => {
      const { script_url, site_key } = challenge
      if (!element || !script_url || !site_key) return
      drawWidget(element, script_url, site_key, onAnswer).catch(() => setMissing(true))
    },
    [challenge, onAnswer],
  )
  return isMissing ? <Note tone="bad">{t("widgetMissing")}</Note> : <div ref={draw} />
}

function RegisterForm({ status }: { status: Status }) {
  const { challenge } = status.registration
  const { t, i18n } = useTranslation("sign-in")
  const { next, code } = route.useSearch()
  const router = useRouter()
  const textOf = useSignInProblem()
  const [email, setEmail] = useState("")
  const [password, setPassword] = useState("")
  const [wasSent, setSent] = useState(false)
  const widgetAnswer = useRef("")
  const hear = useCallback((answer: string) => {
    widgetAnswer.current = answer
  }, [])
  const [isWorking, setWorking] = useState(false)
  const prove = async () => {
    if (challenge?.type !== "proof_of_work") return widgetAnswer.current
    setWorking(true)
    return proveWork().finally(() => setWorking(false))
  }
  const enter = (tokens: Tokens) => {
    begin(tokens)
    router.history.push(next ?? "/console")
  }
  const register = useMutation({
    mutationFn: async () => {
      const answer = challenge ? await prove() : ""
      return body(
        api().POST("/api/v1/auth/register", {
          body: {
            email: email.trim(),
            password,
            locale: i18n.language === "zh" ? "zh-CN" : i18n.language,
            ...(code && { referral_code: code }),
            ...(answer && { challenge: answer }),
          },
        }),
      )
    },
    onSuccess: (answer) => {
      if ("access_token" in answer) enter(answer)
    },
  })
  const isReady = email.includes("@") && password.length >= PASSWORD_LEAST
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setSent(true)
    if (isReady && !register.isPending) register.mutate()
  }
  if (register.data && !("access_token" in register.data)) {
    return <MailSent email={email.trim()} onBack={register.reset} />
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
        <NewPassword
          label={t("password")}
          value={password}
          onValue={setPassword}
          wasSent={wasSent}
          email={email}
          isLarge
        />
        {code && (
          <p className="text-13 text-ink-2">
            {t("code")} <span className="mono">{code}</span>
          </p>
        )}
        {challenge?.type === "turnstile" && <Widget challenge={challenge} onAnswer={hear} />}
        {isWorking && <Note>{t("working")}</Note>}
        {register.error && <Note tone="bad">{textOf(register.error)}</Note>}
        <Button type="submit" look="primary" size="lg" isWide isBusy={register.isPending}>
          {t("register")}
        </Button>
      </form>
      <OtherWays status={status} next={next} code={code} onIn={enter} />
      <p className="text-13 text-ink-2">
        {t("haveAccount")} <Link to="/sign-in">{t("signIn")}</Link>
      </p>
    </Narrow>
  )
}

/** Where passwords are not used, whoever is new comes with an identity that the operator's providers vouch for. */
function RegisterWithIdentity({ status }: { status: Status }) {
  const { t } = useTranslation("sign-in")
  const { next, code } = route.useSearch()
  const router = useRouter()
  const enter = (tokens: Tokens) => {
    begin(tokens)
    router.history.push(next ?? "/console")
  }
  return (
    <Narrow title={t("register")} text={t("registerText")}>
      <OtherWays status={status} next={next} code={code} onIn={enter} />
    </Narrow>
  )
}

/** Says plainly when nobody may register here. */
export default function RegisterPage() {
  const { data: status } = useSuspenseQuery(statusQuery)
  const hasPasswords = status.sign_in.includes("password")
  const isOpen = status.sign_up === "open" && (hasPasswords || status.identity_providers.length > 0)
  if (!isOpen) return <Closed isByInvitation={status.sign_up === "invitation"} />
  return hasPasswords ? <RegisterForm status={status} /> : <RegisterWithIdentity status={status} />
}
