import { useMutation } from "@tanstack/react-query"
import { useRouter } from "@tanstack/react-router"
import { type FormEvent, useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { begin, type Tokens } from "../../api/session"
import { Button, ButtonLink } from "../../components/button"
import { Field } from "../../components/field"
import { Input } from "../../components/input"
import { NewPassword } from "../../components/new-password"
import { Note } from "../../components/note"
import { PASSWORD_LEAST } from "../../components/password-hint"
import { Narrow } from "./frame"
import { useSignInProblem } from "./problem-text"

let taken = ""

/** The token behind the #: servers never see it, and it leaves the address bar at once. */
function takeToken(): string {
  const found = decodeURIComponent(window.location.hash.slice(1))
  if (found) {
    taken = found
    window.history.replaceState(window.history.state, "", window.location.pathname)
  }
  return taken
}

function Form({
  asksEmail,
  send,
}: {
  asksEmail: boolean
  send: (email: string, password: string) => Promise<Tokens>
}) {
  const { t } = useTranslation("sign-in")
  const router = useRouter()
  const textOf = useSignInProblem()
  const [email, setEmail] = useState("")
  const [password, setPassword] = useState("")
  const [wasSent, setSent] = useState(false)
  const accept = useMutation({
    gcTime: 0,
    mutationFn: () => send(email.trim(), password),
    onSuccess: (tokens) => {
      begin(tokens)
      router.history.push("/console")
    },
  })
  const isEmailMissing = asksEmail && !email.includes("@")
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setSent(true)
    if (!isEmailMissing && password.length >= PASSWORD_LEAST && !accept.isPending) accept.mutate()
  }
  return (
    <form className="grid gap-4" onSubmit={submit} noValidate>
      {asksEmail && (
        <Field label={t("email")} error={wasSent && isEmailMissing ? t("needEmail") : null}>
          {(ids) => (
            <Input
              {...ids}
              isLarge
              type="email"
              autoComplete="username"
              autoFocus
              value={email}
              onChange={(event) => setEmail(event.target.value)}
            />
          )}
        </Field>
      )}
      <NewPassword
        label={t("choosePassword")}
        value={password}
        onValue={setPassword}
        wasSent={wasSent}
        email={email}
        isLarge
        isFirst={!asksEmail}
      />
      {accept.error && <Note tone="bad">{textOf(accept.error)}</Note>}
      <Button type="submit" look="primary" size="lg" isWide isBusy={accept.isPending}>
        {t("begin")}
      </Button>
    </form>
  )
}

function NoToken() {
  const { t } = useTranslation("sign-in")
  return (
    <Narrow title={t("noToken")} text={t("noTokenText")}>
      <div>
        <ButtonLink look="primary" to="/sign-in">
          {t("signIn")}
        </ButtonLink>
      </div>
    </Narrow>
  )
}

/** Behind the link that `airouter operator create` prints: choosing a password makes one an operator. */
export function AcceptPage() {
  const { t } = useTranslation("sign-in")
  const [token] = useState(takeToken)
  if (!token) return <NoToken />
  return (
    <Narrow title={t("accept")} text={t("acceptText")}>
      <Form
        asksEmail={false}
        send={(_, password) => body(api().POST("/api/v1/auth/accept", { body: { token, password } }))}
      />
    </Narrow>
  )
}

/** Behind the link that a new installation logs: whoever opens it becomes its owner. */
export function SetupPage() {
  const { t } = useTranslation("sign-in")
  const [token] = useState(takeToken)
  if (!token) return <NoToken />
  return (
    <Narrow title={t("setup")} text={t("setupText")}>
      <Form
        asksEmail
        send={(email, password) => body(api().POST("/api/v1/setup", { body: { token, email, password } }))}
      />
    </Narrow>
  )
}
