import { useMutation } from "@tanstack/react-query"
import { getRouteApi } from "@tanstack/react-router"
import { Download } from "lucide-react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { pageQuery, usePages } from "../../api/pages"
import { Button } from "../../components/button"
import { Chip } from "../../components/choice"
import { LedgerTable } from "../../components/ledger-table"
import { More } from "../../components/more"
import { PageHead } from "../../components/page"
import { useProblemText } from "../../components/problem"
import { say } from "../../components/toast"
import { ActPanel } from "./act-panel"
import { useColumns } from "./columns"
import { FilterBar } from "./filter-bar"
import type { AuditSearch } from "./search"

const route = getRouteApi("/console/admin/audit-log")
/** Nouns that people look for first; any other beginning of an action can be typed. */
const NOUNS = [
  "channel",
  "rate_card",
  "policy",
  "account",
  "balance",
  "batch",
  "order",
  "user",
  "session",
  "key",
] as const

type Filters = { action?: string; subject?: string; user_id?: string; account_id?: string }

function filtersOf({ action, subject, person, account }: AuditSearch): Filters {
  return {
    ...(action && { action }),
    ...(subject && { subject }),
    ...(person && { user_id: person }),
    ...(account && { account_id: account }),
  }
}

function ExportButtons({ filters, isDisabled }: { filters: Filters; isDisabled: boolean }) {
  const { t } = useTranslation("audit-log")
  const textOf = useProblemText()
  const make = useMutation({
    gcTime: 0,
    mutationFn: (format: "csv" | "jsonl") =>
      body(api().POST("/api/v1/admin/audit-log/exports", { body: { ...filters, format } })),
    onSuccess: ({ url }) => {
      if (url) location.assign(url)
    },
    onError: (error) => say({ tone: "bad", title: t("exportFailed"), text: textOf(error) }),
  })
  return (
    <>
      {(["csv", "jsonl"] as const).map((format) => (
        <Button
          key={format}
          disabled={isDisabled}
          isBusy={make.isPending && make.variables === format}
          onClick={() => make.mutate(format)}
        >
          <Download className="i" aria-hidden="true" />
          {t(`export.${format}`)}
        </Button>
      ))}
    </>
  )
}

/** Every operator's and every security act, newest first. */
export default function AuditLogPage() {
  const { t } = useTranslation("audit-log")
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const change = (wanted: AuditSearch) =>
    void navigate({ search: (before) => ({ ...before, ...wanted }), replace: true, resetScroll: false })
  const filters = filtersOf(search)
  const { rows, error, retry, more } = usePages(["admin", "audit-log", filters], (cursor, signal) =>
    body(
      api().GET("/api/v1/admin/audit-log", {
        params: { query: { ...pageQuery(cursor), ...filters } },
        signal,
      }),
    ),
  )
  const columns = useColumns((person) => change({ person }))
  const isFiltered = Object.keys(filters).length > 0
  return (
    <>
      <PageHead title={t("title")} text={t("text")}>
        <ExportButtons filters={filters} isDisabled={!rows?.length} />
      </PageHead>
      <FilterBar
        find={t("find")}
        nouns={NOUNS}
        action={search.action}
        onAction={(wanted) => change({ action: wanted })}
      >
        {(search.person || search.account || search.subject) && (
          <Chip isOn onPress={() => change({ person: undefined, account: undefined, subject: undefined })}>
            {t(search.person ? "onePerson" : "oneThing")} ×
          </Chip>
        )}
      </FilterBar>
      <LedgerTable
        label={t("title")}
        isTwoLine
        isSticky
        columns={columns}
        rows={rows}
        keyOf={(row) => row.id}
        error={error}
        onRetry={retry}
        onOpen={(row) => change({ act: row.id })}
        isOn={(row) => row.id === search.act}
        empty={
          <>
            <b>{t(isFiltered ? "noneFound" : "empty")}</b>
            <p>{t(isFiltered ? "noneFoundText" : "emptyText")}</p>
          </>
        }
      />
      <More more={more} />
      {search.act && <ActPanel actId={search.act} onClose={() => change({ act: undefined })} />}
    </>
  )
}
