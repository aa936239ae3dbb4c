import { useMutation } from "@tanstack/react-query"
import { Fingerprint, LogIn } from "lucide-react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { askPasskey, canUsePasskeys } from "../../api/passkey"
import { apiOrigin } from "../../api/runtime"
import type { Tokens } from "../../api/session"
import type { Status } from "../../api/types"
import { Button } from "../../components/button"
import { Note } from "../../components/note"
import { useSignInProblem } from "./problem-text"

/** Ways in besides the password: a passkey, and whatever identity providers the operator has set up. */
export function OtherWays({
  status,
  next,
  code,
  onIn,
}: {
  status: Status
  next: string | undefined
  /** Who brought somebody who may turn out to be new. */
  code?: string | undefined
  onIn: (tokens: Tokens) => void
}) {
  const { t } = useTranslation("sign-in")
  const textOf = useSignInProblem()
  const passkey = useMutation({
    mutationFn: async () => {
      const { public_key } = await body(api().POST("/api/v1/auth/passkey/options", { body: {} }))
      const credential = await askPasskey(public_key)
      return body(api().POST("/api/v1/auth/passkey", { body: { credential } }))
    },
    onSuccess: onIn,
  })
  const hasPasskeys = status.sign_in.includes("passkey") && canUsePasskeys()
  if (!hasPasskeys && status.identity_providers.length === 0) return null
  const start = (id: string) =>
    `${apiOrigin()}/api/v1/auth/oidc/${id}/start?${new URLSearchParams({ next: next ?? "/console", ...(code && { ref: code }) })}`
  return (
    <div className="grid gap-2">
      {status.sign_in.includes("password") && <p className="text-center text-13 text-ink-3">{t("or")}</p>}
      {hasPasskeys && (
        <Button size="lg" isWide isBusy={passkey.isPending} onClick={() => passkey.mutate()}>
          <Fingerprint className="i" aria-hidden="true" />
          {t("withPasskey")}
        </Button>
      )}
      {status.identity_providers.map(({ id, label }) => (
        <a key={id} className="btn btn-lg btn-wide" href={start(id)}>
          <LogIn className="i" aria-hidden="true" />
          {t("withProvider", { provider: label })}
        </a>
      ))}
      {passkey.error && <Note tone="bad">{textOf(passkey.error)}</Note>}
    </div>
  )
}
