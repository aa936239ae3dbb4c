import { useMutation } from "@tanstack/react-query"
import { useRouter } from "@tanstack/react-router"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import { api } from "../../api/client"
import { begin } from "../../api/session"
import { Button, ButtonLink } from "../../components/button"
import { Note } from "../../components/note"
import { Narrow } from "./frame"
import { takeMailedToken } from "./mailed-token"
import { useSignInProblem } from "./problem-text"

/** Behind the link in a mail. It waits for a press: programs that look into mail follow links as well. */
export default function VerifyPage() {
  const { t } = useTranslation("sign-in")
  const router = useRouter()
  const textOf = useSignInProblem()
  const [token] = useState(takeMailedToken)
  const confirm = useMutation({
    gcTime: 0,
    mutationFn: async () => (await api().POST("/api/v1/auth/verify", { body: { token } })).data ?? null,
    onSuccess: (answer) => {
      if (!answer) return
      begin(answer)
      router.history.push("/console")
    },
  })
  if (!token) {
    return (
      <Narrow title={t("noToken")} text={t("noMailedToken")}>
        <div>
          <ButtonLink look="primary" to="/sign-in">
            {t("signIn")}
          </ButtonLink>
        </div>
      </Narrow>
    )
  }
  if (confirm.isSuccess && confirm.data === null) {
    return (
      <Narrow title={t("emailChanged")} text={t("emailChangedText")}>
        <div>
          <ButtonLink look="primary" to="/console">
            {t("toConsole")}
          </ButtonLink>
        </div>
      </Narrow>
    )
  }
  return (
    <Narrow title={t("confirmEmail")} text={t("confirmEmailText")}>
      <div className="grid gap-4">
        {confirm.error && <Note tone="bad">{textOf(confirm.error)}</Note>}
        <Button
          look="primary"
          size="lg"
          isWide
          isBusy={confirm.isPending || confirm.isSuccess}
          onClick={() => confirm.mutate()}
        >
          {t("confirmEmailAction")}
        </Button>
      </div>
    </Narrow>
  )
}
