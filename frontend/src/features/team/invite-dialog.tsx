import { useQueryClient } from "@tanstack/react-query"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body, onceOnly } from "../../api/client"
import type { TeamRole } from "../../api/types"
import { Field } from "../../components/field"
import { FormDialog } from "../../components/form-dialog"
import { Input } from "../../components/input"
import { Secret, ShownOnce } from "../../components/shown-once"
import { say } from "../../components/toast"
import { RoleField } from "./roles"

type Sent = { email: string; link: string }

/** The link of an invitation where no mail goes out: shown this once, to be handed on. */
function LinkDialog({ sent, onDone }: { sent: Sent; onDone: () => void }) {
  const { t } = useTranslation("team")
  return (
    <ShownOnce
      title={t("link.title", { email: sent.email })}
      text={t("link.text")}
      done={t("link.done")}
      onDone={onDone}
    >
      <Secret text={sent.link} label={t("link.copy")} testId="invitation-link" />
    </ShownOnce>
  )
}

/** Invites one address with a role. */
export function InviteDialog({
  account,
  own,
  isOpen,
  onClose,
}: {
  account: string
  own: TeamRole
  isOpen: boolean
  onClose: () => void
}) {
  const { t } = useTranslation("team")
  const queries = useQueryClient()
  const [email, setEmail] = useState("")
  const [role, setRole] = useState<TeamRole>("member")
  const [isWrong, setWrong] = useState(false)
  const [sent, setSent] = useState<Sent | null>(null)
  const invite = async () => {
    const made = await body(
      api().POST("/api/v1/accounts/{account_id}/invitations", {
        params: { path: { account_id: account } },
        body: { email: email.trim(), team_role: role },
        headers: { "Idempotency-Key": onceOnly() },
      }),
    )
    void queries.invalidateQueries({ queryKey: ["invitations", account] })
    if (made.link) setSent({ email: made.email, link: made.link })
    else say({ tone: "good", title: t("invited", { email: made.email }), text: t("invitedText") })
  }
  return (
    <>
      <FormDialog
        isOpen={isOpen}
        onClose={onClose}
        onGone={() => {
          setEmail("")
          setRole("member")
          setWrong(false)
        }}
        title={t("invite")}
        text={t("inviteText")}
        action={t("inviteAction")}
        onSubmit={() => {
          const isAddress = /^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(email.trim())
          setWrong(!isAddress)
          return isAddress ? invite() : null
        }}
      >
        <Field label={t("email")} error={isWrong ? t("needEmail") : null}>
          {(ids) => (
            <Input
              {...ids}
              type="email"
              autoComplete="off"
              autoFocus
              value={email}
              onChange={(event) => {
                setEmail(event.target.value)
                setWrong(false)
              }}
            />
          )}
        </Field>
        <RoleField own={own} value={role} onValue={setRole} />
      </FormDialog>
      {sent && <LinkDialog sent={sent} onDone={() => setSent(null)} />}
    </>
  )
}
