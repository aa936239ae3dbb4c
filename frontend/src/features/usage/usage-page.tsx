import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query"
import { getRouteApi } from "@tanstack/react-router"
import { useCallback, useMemo } from "react"
import { useTranslation } from "react-i18next"
import { asProblem } from "../../api/problem"
import { keysQuery } from "../../api/queries"
import type { UsageItem } from "../../api/types"
import { Button } from "../../components/button"
import { PageHead } from "../../components/page"
import { Failed } from "../../components/problem"
import { useNow } from "../../components/when"
import { countText } from "../../format/quota"
import { Empty } from "./empty"
import { ExportButton } from "./export-button"
import { type Change, Filters } from "./filters"
import { filtersOf, newerQuery, receiptQuery, type UsageFilters, usageQuery } from "./queries"
import { ReceiptPanel } from "./receipt-panel"
import type { UsageSearch } from "./search"
import { holdsNow, instantsOf } from "./span"
import { SummaryLine } from "./summary-line"
import "./usage.css"
import { UsageTable } from "./usage-table"

const route = getRouteApi("/console/usage")

type Log = {
  rows: UsageItem[] | undefined
  error: unknown
  isComplete: boolean
  isLoadingMore: boolean
  loadMore: () => void
  retry: () => void
}

/** The rows in sight: a page of the log and those loaded after it, or the one call that was searched by its id. */
function useLog(filters: UsageFilters, requestId: string | undefined): Log {
  const list = useInfiniteQuery({ ...usageQuery(filters), enabled: requestId === undefined })
  const one = useQuery({ ...receiptQuery(requestId ?? ""), enabled: requestId !== undefined })
  const listed = useMemo(() => list.data?.pages.flatMap((page) => page.items), [list.data])
  if (requestId !== undefined) {
    // An id that is unknown, not yours, or not whole is no failure: there is just no such call.
    const isUnknown = one.error !== null && [400, 404, 422].includes(asProblem(one.error).status)
    return {
      rows: one.data ? [one.data] : isUnknown ? [] : undefined,
      error: isUnknown ? null : one.error,
      isComplete: true,
      isLoadingMore: false,
      loadMore: () => {},
      retry: () => void one.refetch(),
    }
  }
  return {
    rows: listed,
    error: list.error,
    isComplete: list.data !== undefined && !list.hasNextPage,
    isLoadingMore: list.isFetchingNextPage,
    loadMore: () => void list.fetchNextPage(),
    retry: () => void list.refetch(),
  }
}

function More({ log }: { log: Log }) {
  const { t } = useTranslation("usage")
  if (!log.rows || log.rows.length === 0) return null
  return (
    <div className="pager">
      {!log.isComplete && (
        <Button size="sm" isBusy={log.isLoadingMore} onClick={log.loadMore}>
          {t("older")}
        </Button>
      )}
      <span role="status">
        {t(log.isComplete ? "allShown" : "shown", {
          count: log.rows.length,
          figure: countText(log.rows.length),
        })}
      </span>
      <span className="ml-auto max-md:hidden">{t("still")}</span>
    </div>
  )
}

/** The key's name; a key that was deleted keeps the first part of its id. */
function useKeyName(): (id: string) => string {
  const { data } = useQuery(keysQuery)
  const names = useMemo(() => new Map(data?.items.map((key) => [key.id, key.name])), [data])
  return useCallback((id) => names.get(id) ?? id.slice(0, 8), [names])
}

function useReceiptNavigation(rows: UsageItem[] | undefined, search: UsageSearch) {
  const navigate = route.useNavigate()
  const isOpen = search.receipt !== undefined
  const show = useCallback(
    (receipt: string | undefined) =>
      void navigate({
        search: (before) => ({ ...before, receipt }),
        // The first receipt is a step of its own, so that Back closes it; walking on from it is not.
        replace: isOpen,
        resetScroll: false,
      }),
    [navigate, isOpen],
  )
  const close = useCallback(() => {
    document.querySelector<HTMLElement>(".log tr.is-on")?.focus({ preventScroll: true })
    show(undefined)
  }, [show])
  const at = rows?.findIndex((row) => row.request_id === search.receipt) ?? -1
  const beside = (step: 1 | -1) => {
    const next = at < 0 ? undefined : rows?.[at + step]
    return next && (() => show(next.request_id))
  }
  return { show, close, newer: beside(-1), older: beside(1) }
}

export default function UsagePage() {
  const { t } = useTranslation("usage")
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const queries = useQueryClient()
  const now = useNow()
  const instants = instantsOf(search, now)
  const filters = filtersOf(search, instants)
  const log = useLog(filters, search.q)
  const keyName = useKeyName()
  const change: Change = (wanted) =>
    void navigate({ search: (before) => ({ ...before, ...wanted }), replace: true, resetScroll: false })
  const receipt = useReceiptNavigation(log.rows, search)
  const { data: newer } = useQuery(
    newerQuery(filters, log.rows?.[0], search.q === undefined && holdsNow(instants, now)),
  )
  return (
    <>
      <PageHead title={t("title")} text={t("text")}>
        <ExportButton filters={filters} isDisabled={!log.rows?.length || search.q !== undefined} />
      </PageHead>
      <Filters search={search} instants={instants} onChange={change} onFind={receipt.show} />
      <SummaryLine
        filters={filters}
        rows={log.rows}
        isComplete={log.isComplete}
        newer={newer}
        onNewer={() => {
          void queries.resetQueries({ queryKey: ["usage", "list"] })
          void queries.invalidateQueries({ queryKey: ["usage", "summary"] })
        }}
      />
      <UsageTable
        rows={log.rows}
        error={log.error}
        onRetry={log.retry}
        empty={<Empty search={search} onChange={change} />}
        keyName={keyName}
        opened={search.receipt}
        onOpen={receipt.show}
      />
      {log.rows && log.error ? (
        <Failed title={t("moreFailed")} error={log.error} onRetry={log.loadMore} />
      ) : (
        <More log={log} />
      )}
      {search.receipt && (
        <ReceiptPanel
          requestId={search.receipt}
          onClose={receipt.close}
          onNewer={receipt.newer}
          onOlder={receipt.older}
        />
      )}
    </>
  )
}
