import { useQuery, useQueryClient } from "@tanstack/react-query"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import type { Invitation } from "../../api/types"
import { Button } from "../../components/button"
import { Confirm } from "../../components/confirm"
import { type Column, LedgerTable } from "../../components/ledger-table"
import { Section } from "../../components/page"
import { say } from "../../components/toast"
import { When } from "../../components/when"
import { invitationsQuery } from "./queries"

/** Invitations that nobody has accepted yet. */
export function Invitations({ account, mayWrite }: { account: string; mayWrite: boolean }) {
  const { t } = useTranslation("team")
  const queries = useQueryClient()
  const [doomed, setDoomed] = useState<Invitation | null>(null)
  const [isAsking, setAsking] = useState(false)
  const { data, error, refetch } = useQuery(invitationsQuery(account))
  const revoke = async (invitation: Invitation) => {
    await body(
      api().DELETE("/api/v1/accounts/{account_id}/invitations/{invitation_id}", {
        params: { path: { account_id: account, invitation_id: invitation.id } },
      }),
    )
    await queries.invalidateQueries({ queryKey: ["invitations", account] })
    say({ tone: "good", title: t("uninvited", { email: invitation.email }) })
  }
  const columns: Column<Invitation>[] = [
    {
      id: "email",
      head: t("email"),
      bone: 180,
      cell: (row) => <span className="name">{row.email}</span>,
    },
    { id: "role", head: t("role"), cell: (row) => t(`roles.${row.team_role}`) },
    { id: "by", head: t("by"), className: "soft max-lg:hidden", cell: (row) => row.invited_by },
    {
      id: "expires",
      head: t("expires"),
      className: "soft max-md:hidden",
      cell: (row) => <When at={row.expires_at} as="time" />,
    },
    {
      id: "act",
      head: t("uninvite"),
      kind: "act",
      cell: (row) =>
        mayWrite && (
          <Button
            size="sm"
            aria-label={`${t("uninvite")}: ${row.email}`}
            onClick={() => {
              setDoomed(row)
              setAsking(true)
            }}
          >
            {t("uninvite")}
          </Button>
        ),
    },
  ]
  return (
    <Section title={t("invitations")} text={t("invitationsText")}>
      <LedgerTable
        label={t("invitations")}
        columns={columns}
        rows={data}
        keyOf={(row) => row.id}
        error={error}
        onRetry={() => void refetch()}
        bones={1}
        empty={<p>{t("invitationsEmpty")}</p>}
      />
      {doomed && (
        <Confirm
          isOpen={isAsking}
          onClose={() => setAsking(false)}
          title={t("uninviteTitle", { email: doomed.email })}
          text={t("uninviteText")}
          action={t("uninviteAction")}
          onConfirm={() => revoke(doomed)}
        />
      )}
    </Section>
  )
}
