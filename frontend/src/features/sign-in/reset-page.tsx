import { useMutation } from "@tanstack/react-query"
import { useRouter } from "@tanstack/react-router"
import { type FormEvent, useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { asProblem } from "../../api/problem"
import { begin } from "../../api/session"
import { Button, ButtonLink } from "../../components/button"
import { NewPassword } from "../../components/new-password"
import { Note } from "../../components/note"
import { PASSWORD_LEAST } from "../../components/password-hint"
import { Narrow } from "./frame"
import { takeMailedToken } from "./mailed-token"
import { useSignInProblem } from "./problem-text"

/** Behind the link in a mail: a new password. A second factor is asked for afterwards, on the sign-in page. */
export default function ResetPage() {
  const { t } = useTranslation("sign-in")
  const router = useRouter()
  const textOf = useSignInProblem()
  const [token] = useState(takeMailedToken)
  const [password, setPassword] = useState("")
  const [wasSent, setSent] = useState(false)
  const reset = useMutation({
    gcTime: 0,
    mutationFn: () => body(api().POST("/api/v1/auth/password-reset/confirm", { body: { token, password } })),
    onSuccess: (tokens) => {
      begin(tokens)
      router.history.push("/console")
    },
  })
  const needsFactor = reset.error && asProblem(reset.error).code === "mfa_required"
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setSent(true)
    if (password.length >= PASSWORD_LEAST && !reset.isPending) reset.mutate()
  }
  if (!token || needsFactor) {
    return (
      <Narrow
        title={t(needsFactor ? "resetDone" : "noToken")}
        text={t(needsFactor ? "resetDoneText" : "noMailedToken")}
      >
        <div>
          <ButtonLink look="primary" to="/sign-in">
            {t("signIn")}
          </ButtonLink>
        </div>
      </Narrow>
    )
  }
  return (
    <Narrow title={t("reset")} text={t("resetText")}>
      <form className="grid gap-4" onSubmit={submit} noValidate>
        <NewPassword
          label={t("newPassword")}
          value={password}
          onValue={setPassword}
          wasSent={wasSent}
          isLarge
          isFirst
        />
        {reset.error && <Note tone="bad">{textOf(reset.error)}</Note>}
        <Button type="submit" look="primary" size="lg" isWide isBusy={reset.isPending}>
          {t("resetAction")}
        </Button>
      </form>
    </Narrow>
  )
}
