import { queryOptions, useQuery, useQueryClient } from "@tanstack/react-query"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import type { Session } from "../../api/types"
import { Nothing } from "../../components/amount"
import { Button } from "../../components/button"
import { Confirm } from "../../components/confirm"
import { type Column, LedgerTable } from "../../components/ledger-table"
import { Section } from "../../components/page"
import { Tag } from "../../components/state"
import { say } from "../../components/toast"
import { When } from "../../components/when"
import { deviceOf } from "./device"

const sessionsQuery = queryOptions({
  queryKey: ["sessions"],
  queryFn: ({ signal }) => body(api().GET("/api/v1/me/sessions", { signal })),
})

function useDeviceName(): (session: Session) => string {
  const { t } = useTranslation("settings")
  return (session) => {
    const device = deviceOf(session.user_agent)
    return device ? t("on", device) : session.user_agent.split(" ")[0] || t("unknownDevice")
  }
}

/** Where one is signed in, and a way to end each. */
export function Sessions() {
  const { t } = useTranslation("settings")
  const queries = useQueryClient()
  const nameOf = useDeviceName()
  const [asked, setAsked] = useState<Session | null>(null)
  const [isAsking, setAsking] = useState(false)
  const { data, error, refetch } = useQuery(sessionsQuery)
  const revoke = async (session: Session) => {
    await body(
      api().DELETE("/api/v1/me/sessions/{session_id}", { params: { path: { session_id: session.id } } }),
    )
    await queries.invalidateQueries({ queryKey: sessionsQuery.queryKey })
    say({ tone: "good", title: t("revoked", { device: nameOf(session) }) })
  }
  const columns: Column<Session>[] = [
    {
      id: "device",
      head: t("device"),
      cell: (row) => (
        <span className="flex flex-wrap items-center gap-2">
          <span className="name" title={row.user_agent}>
            {nameOf(row)}
          </span>
          {row.is_current && <Tag tone="accent">{t("this")}</Tag>}
        </span>
      ),
    },
    {
      id: "address",
      head: t("address"),
      className: "max-md:hidden",
      cell: (row) => (row.address ? <span className="mono">{row.address}</span> : <Nothing />),
    },
    {
      id: "how",
      head: t("how"),
      className: "soft max-lg:hidden",
      cell: (row) =>
        row.second_method
          ? `${t(`ways.${row.method}`)} + ${t(`seconds.${row.second_method}`)}`
          : t(`ways.${row.method}`),
    },
    {
      id: "seen",
      head: t("seen"),
      className: "soft",
      cell: (row) => <When at={row.last_used_at} />,
    },
    {
      id: "since",
      head: t("since"),
      className: "soft max-lg:hidden",
      cell: (row) => <When at={row.created_at} as="time" />,
    },
    {
      id: "act",
      head: t("revoke"),
      kind: "act",
      cell: (row) =>
        !row.is_current && (
          <Button
            size="sm"
            aria-label={`${t("revoke")}: ${nameOf(row)}`}
            onClick={() => {
              setAsked(row)
              setAsking(true)
            }}
          >
            {t("revoke")}
          </Button>
        ),
    },
  ]
  return (
    <Section title={t("sessions")} text={t("sessionsText")}>
      <LedgerTable
        label={t("sessions")}
        columns={columns}
        rows={data?.items}
        keyOf={(row) => row.id}
        error={error}
        failedTitle={t("sessionsFailed")}
        onRetry={() => void refetch()}
        bones={2}
        empty={<p>{t("sessionsEmpty")}</p>}
      />
      {asked && (
        <Confirm
          isOpen={isAsking}
          onClose={() => setAsking(false)}
          title={t("revokeTitle", { device: nameOf(asked) })}
          text={t("revokeText")}
          action={t("revoke")}
          onConfirm={() => revoke(asked)}
        />
      )}
    </Section>
  )
}
