import { queryOptions, useQuery, useQueryClient, useSuspenseQuery } from "@tanstack/react-query"
import { Plus } from "lucide-react"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { everyPage } from "../../api/pages"
import { meQuery } from "../../api/queries"
import type { NewToken, Token } from "../../api/types"
import { Nothing } from "../../components/amount"
import { Button } from "../../components/button"
import { Confirm } from "../../components/confirm"
import { type Column, LedgerTable } from "../../components/ledger-table"
import { Section } from "../../components/page"
import { say } from "../../components/toast"
import { When } from "../../components/when"
import { TokenForm } from "./token-form"
import { TokenSecret } from "./token-secret"

const tokensQuery = queryOptions({
  queryKey: ["tokens"],
  queryFn: ({ signal }) =>
    everyPage((cursor) =>
      body(
        api().GET("/api/v1/tokens", { params: { query: { limit: 200, ...(cursor && { cursor }) } }, signal }),
      ),
    ),
})

/** How many, and on request which: a hint under the pointer would be for the mouse only. */
function Scopes({ names }: { names: string[] }) {
  const { t } = useTranslation("tokens")
  return (
    <details className="fold">
      <summary>{t("nScopes", { count: names.length })}</summary>
      <span className="sub mono block max-w-[320px] whitespace-normal">{names.join(", ")}</span>
    </details>
  )
}

function useColumns(onRevoke: (token: Token) => void): Column<Token>[] {
  const { t } = useTranslation("tokens")
  return [
    {
      id: "name",
      head: t("name"),
      bone: 140,
      cell: (row) => (
        <>
          <span className="name">{row.name}</span>
          <span className="sub mono">{row.prefix}…</span>
          <span className="md:hidden">
            <Scopes names={row.scopes} />
            <span className="sub">
              {t("expires")}: {row.expires_at ? <When at={row.expires_at} as="time" /> : <Nothing />}
            </span>
          </span>
        </>
      ),
    },
    {
      id: "scopes",
      head: t("scopes"),
      className: "max-md:hidden",
      cell: (row) => <Scopes names={row.scopes} />,
    },
    {
      id: "account",
      head: t("account"),
      className: "soft max-lg:hidden",
      cell: (row) => row.account_name,
    },
    {
      id: "used",
      head: t("used"),
      className: "soft max-md:hidden",
      cell: (row) => (row.last_used_at ? <When at={row.last_used_at} /> : t("never")),
    },
    {
      id: "expires",
      head: t("expires"),
      className: "soft max-md:hidden",
      cell: (row) => (row.expires_at ? <When at={row.expires_at} as="time" /> : <Nothing />),
    },
    {
      id: "act",
      head: t("revoke"),
      kind: "act",
      cell: (row) => (
        <Button size="sm" aria-label={`${t("revoke")}: ${row.name}`} onClick={() => onRevoke(row)}>
          {t("revoke")}
        </Button>
      ),
    },
  ]
}

/** Management tokens: made for the account one works in, shown once, revoked. */
export default function Tokens() {
  const { t } = useTranslation("tokens")
  const queries = useQueryClient()
  const { data: me } = useSuspenseQuery(meQuery)
  const [isMaking, setMaking] = useState(false)
  const [made, setMade] = useState<NewToken | null>(null)
  const [doomed, setDoomed] = useState<Token | null>(null)
  const [isAsking, setAsking] = useState(false)
  const { data, error, refetch } = useQuery(tokensQuery)
  const revoke = async (token: Token) => {
    await body(api().DELETE("/api/v1/tokens/{token_id}", { params: { path: { token_id: token.id } } }))
    await queries.invalidateQueries({ queryKey: tokensQuery.queryKey })
    say({ tone: "good", title: t("revoked", { name: token.name }) })
  }
  const columns = useColumns((token) => {
    setDoomed(token)
    setAsking(true)
  })
  return (
    <Section
      title={t("title")}
      text={t("text")}
      actions={
        <Button look="primary" size="sm" onClick={() => setMaking(true)}>
          <Plus className="i" aria-hidden="true" />
          {t("new")}
        </Button>
      }
    >
      <LedgerTable
        label={t("title")}
        isTwoLine
        columns={columns}
        rows={data}
        keyOf={(row) => row.id}
        error={error}
        onRetry={() => void refetch()}
        bones={2}
        empty={
          <>
            <b>{t("empty")}</b>
            <p>{t("emptyText")}</p>
          </>
        }
      />
      <TokenForm
        account={me.account}
        isOpen={isMaking}
        onClose={() => setMaking(false)}
        onMade={(token) => {
          setMade(token)
          void queries.invalidateQueries({ queryKey: tokensQuery.queryKey })
        }}
      />
      {made && <TokenSecret made={made} onDone={() => setMade(null)} />}
      {doomed && (
        <Confirm
          isOpen={isAsking}
          onClose={() => setAsking(false)}
          title={t("revokeTitle", { name: doomed.name })}
          text={t("revokeText", { prefix: doomed.prefix })}
          action={t("revoke")}
          onConfirm={() => revoke(doomed)}
        />
      )}
    </Section>
  )
}
