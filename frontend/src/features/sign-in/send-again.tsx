import { useMutation } from "@tanstack/react-query"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { asProblem } from "../../api/problem"
import { Button } from "../../components/button"
import { Note } from "../../components/note"
import { useSignInProblem } from "./problem-text"

/** For somebody who joined and did not follow the link yet: another mail. */
export function SendAgain({ email, error }: { email: string; error: unknown }) {
  const { t } = useTranslation("sign-in")
  const textOf = useSignInProblem()
  const again = useMutation({
    mutationFn: () => body(api().POST("/api/v1/auth/verification", { body: { email } })),
  })
  if (!error || asProblem(error).code !== "email_not_verified") return null
  if (again.isSuccess) return <Note tone="good">{t("sentAgain")}</Note>
  return (
    <>
      {again.error && <Note tone="bad">{textOf(again.error)}</Note>}
      <Button isBusy={again.isPending} onClick={() => again.mutate()}>
        {t("sendAgain")}
      </Button>
    </>
  )
}
