import { useMutation } from "@tanstack/react-query"
import { Fingerprint } from "lucide-react"
import { type FormEvent, useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { askPasskey, canUsePasskeys } from "../../api/passkey"
import type { Tokens } from "../../api/session"
import { Button } from "../../components/button"
import { Field } from "../../components/field"
import { Input } from "../../components/input"
import { Note } from "../../components/note"
import { Narrow } from "./frame"
import { useSignInProblem } from "./problem-text"
import type { StepMethod } from "./search"

type Props = {
  /** Null: the first step was elsewhere, and a cookie remembers it. */
  token: string | null
  methods: StepMethod[]
  onIn: (tokens: Tokens) => void
  onAgain: () => void
}

/** After the password or the identity provider: the code of an app, a passkey, or a recovery code. */
export function SecondStep({ token, methods, onIn, onAgain }: Props) {
  const { t } = useTranslation("sign-in")
  const textOf = useSignInProblem()
  const usable = methods.filter((method) => method !== "passkey" || canUsePasskeys())
  const [method, setMethod] = useState<StepMethod>(usable[0] ?? "recovery_code")
  const [code, setCode] = useState("")
  const [wasSent, setSent] = useState(false)
  const known = token === null ? {} : { mfa_token: token }
  const finish = useMutation({
    mutationFn: async () => {
      if (method !== "passkey")
        return body(api().POST("/api/v1/auth/mfa", { body: { ...known, method, code: code.trim() } }))
      const { public_key } = await body(
        api().POST("/api/v1/auth/passkey/options", { body: { ...known, is_second_step: true } }),
      )
      const credential = await askPasskey(public_key)
      return body(api().POST("/api/v1/auth/mfa", { body: { ...known, method, credential } }))
    },
    onSuccess: onIn,
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setSent(true)
    if ((method === "passkey" || code.trim()) && !finish.isPending) finish.mutate()
  }
  const choose = (next: StepMethod) => {
    finish.reset()
    setCode("")
    setSent(false)
    setMethod(next)
  }
  return (
    <Narrow title={t("secondStep")} text={t(`secondStepText.${method}`)}>
      <form className="grid gap-4" onSubmit={submit} noValidate>
        {method !== "passkey" && (
          <Field
            key={method}
            label={t(`secondStepCode.${method}`)}
            error={wasSent && !code.trim() ? t("needCode") : null}
          >
            {(ids) => (
              <Input
                {...ids}
                isLarge
                name="code"
                inputMode={method === "totp" ? "numeric" : "text"}
                autoComplete="one-time-code"
                autoFocus
                spellCheck={false}
                value={code}
                onChange={(event) => setCode(event.target.value)}
              />
            )}
          </Field>
        )}
        {finish.error && <Note tone="bad">{textOf(finish.error)}</Note>}
        <Button type="submit" look="primary" size="lg" isWide isBusy={finish.isPending}>
          {method === "passkey" && <Fingerprint className="i" aria-hidden="true" />}
          {t(method === "passkey" ? "withPasskey" : "signIn")}
        </Button>
      </form>
      <div className="flex flex-wrap gap-2">
        {usable
          .filter((other) => other !== method)
          .map((other) => (
            <Button key={other} size="sm" look="ghost" onClick={() => choose(other)}>
              {t(`secondStepOther.${other}`)}
            </Button>
          ))}
        <Button size="sm" look="ghost" onClick={onAgain}>
          {t("again")}
        </Button>
      </div>
    </Narrow>
  )
}
