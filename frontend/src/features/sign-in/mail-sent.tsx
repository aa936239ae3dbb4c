import { useMutation } from "@tanstack/react-query"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { Button, ButtonLink } from "../../components/button"
import { Note } from "../../components/note"
import { Narrow } from "./frame"
import { useSignInProblem } from "./problem-text"

/** What happens next is in the mail; it may be asked for again. */
export function MailSent({ email, onBack }: { email: string; onBack: () => void }) {
  const { t } = useTranslation("sign-in")
  const textOf = useSignInProblem()
  const again = useMutation({
    mutationFn: () => body(api().POST("/api/v1/auth/verification", { body: { email } })),
  })
  return (
    <Narrow title={t("verify")} text={t("verifyText", { email })}>
      <div className="grid gap-4">
        {again.isSuccess && <Note tone="good">{t("sentAgain")}</Note>}
        {again.error && <Note tone="bad">{textOf(again.error)}</Note>}
        <div className="flex flex-wrap gap-2">
          <Button isBusy={again.isPending} onClick={() => again.mutate()}>
            {t("sendAgain")}
          </Button>
          <Button look="ghost" onClick={onBack}>
            {t("otherAddress")}
          </Button>
          <ButtonLink look="ghost" to="/sign-in">
            {t("signIn")}
          </ButtonLink>
        </div>
      </div>
    </Narrow>
  )
}
