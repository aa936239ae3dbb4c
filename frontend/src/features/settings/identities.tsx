import { useMutation, useQueryClient, useSuspenseQuery } from "@tanstack/react-query"
import { getRouteApi } from "@tanstack/react-router"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { Problem } from "../../api/problem"
import { statusQuery } from "../../api/queries"
import type { Identity, Security } from "../../api/types"
import { Nothing } from "../../components/amount"
import { Button } from "../../components/button"
import { Confirm } from "../../components/confirm"
import { closed, type Open, opened } from "../../components/form-dialog"
import { type Column, LedgerTable } from "../../components/ledger-table"
import { Note } from "../../components/note"
import { Section } from "../../components/page"
import { useProblemText } from "../../components/problem"
import { say } from "../../components/toast"
import { When } from "../../components/when"
import { securityQuery } from "./security-query"

const route = getRouteApi("/console/settings")

/** Identities elsewhere that one signs in with. Not there at all while the operator has set up no provider. */
export function Identities({ security }: { security: Security }) {
  const { t } = useTranslation("security")
  const textOf = useProblemText()
  const queries = useQueryClient()
  const { problem } = route.useSearch()
  const { data: status } = useSuspenseQuery(statusQuery)
  const [removing, setRemoving] = useState<Open<Identity>>(null)
  const link = useMutation({
    mutationFn: (provider: string) =>
      body(api().POST("/api/v1/me/identities/visits", { body: { provider, errand: "link" } })),
    onSuccess: ({ url }) => window.location.assign(url),
  })
  const unlink = async (identity: Identity) => {
    await body(
      api().DELETE("/api/v1/me/identities/{identity_id}", { params: { path: { identity_id: identity.id } } }),
    )
    await queries.invalidateQueries({ queryKey: securityQuery.queryKey })
    say({ tone: "good", title: t("unlinked", { provider: identity.label }) })
  }
  const linked = new Set(security.identities.map(({ provider }) => provider))
  const offered = status.identity_providers.filter(({ id }) => !linked.has(id))
  if (offered.length === 0 && security.identities.length === 0) return null
  const columns: Column<Identity>[] = [
    { id: "provider", head: t("provider"), cell: (row) => <span className="name">{row.label}</span> },
    { id: "name", head: t("identity"), cell: (row) => row.name || <Nothing /> },
    {
      id: "used",
      head: t("lastUsed"),
      className: "soft max-md:hidden",
      cell: (row) => (row.last_used_at ? <When at={row.last_used_at} /> : <Nothing />),
    },
    {
      id: "act",
      head: t("unlink"),
      kind: "act",
      cell: (row) => (
        <Button
          size="sm"
          aria-label={`${t("unlink")}: ${row.label}`}
          onClick={() => setRemoving(opened(row))}
        >
          {t("unlink")}
        </Button>
      ),
    },
  ]
  return (
    <Section
      title={t("identities")}
      text={t("identitiesText")}
      actions={offered.map(({ id, label }) => (
        <Button
          key={id}
          size="sm"
          isBusy={link.isPending && link.variables === id}
          onClick={() => link.mutate(id)}
        >
          {t("link", { provider: label })}
        </Button>
      ))}
    >
      {problem && <Note tone="bad">{textOf(new Problem(problem, 0, "", null, {}))}</Note>}
      {link.error && <Note tone="bad">{textOf(link.error)}</Note>}
      <LedgerTable
        label={t("identities")}
        columns={columns}
        rows={security.identities}
        keyOf={(row) => row.id}
        error={null}
        failedTitle=""
        onRetry={() => {}}
        empty={<p>{t("identitiesEmpty")}</p>}
      />
      {removing && (
        <Confirm
          isOpen={removing.isOpen}
          onClose={() => setRemoving(closed)}
          title={t("unlinkTitle", { provider: removing.thing.label })}
          text={t("unlinkText")}
          action={t("unlink")}
          onConfirm={() => unlink(removing.thing)}
        />
      )}
    </Section>
  )
}
