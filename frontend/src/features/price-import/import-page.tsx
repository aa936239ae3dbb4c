import "./price-import.css"
import { useQuery } from "@tanstack/react-query"
import { getRouteApi } from "@tanstack/react-router"
import { RotateCw } from "lucide-react"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { pageQuery, usePages } from "../../api/pages"
import type { PriceImport, PriceLine } from "../../api/types"
import { Button, ButtonLink } from "../../components/button"
import { Drawer } from "../../components/dialog"
import { LedgerTable } from "../../components/ledger-table"
import { More } from "../../components/more"
import { PageHead } from "../../components/page"
import { Failed } from "../../components/problem"
import { say } from "../../components/toast"
import { AcceptDialog } from "./accept-dialog"
import { useImportActs } from "./import-acts"
import { Facts, Filters, SkippedEntries } from "./import-head"
import { useLineColumns } from "./line-columns"
import { LineDetail } from "./line-detail"
import type { LinesSearch } from "./search"
import { useSourceName } from "./source-name"

const route = getRouteApi("/console/admin/price-imports/$importId")

function useLines(importId: string, search: LinesSearch) {
  return usePages(["admin", "price-imports", importId, "lines", search], (cursor, signal) =>
    body(
      api().GET("/api/v1/admin/price-imports/{import_id}/lines", {
        params: {
          path: { import_id: importId },
          query: {
            ...pageQuery(cursor),
            search: search.q,
            vendor: search.vendor,
            change: search.change,
            state: search.state,
            has_unmapped: search.left,
            is_known: search.known,
          },
        },
        signal,
      }),
    ),
  )
}

function ChosenBar({
  lines,
  onAccept,
  onSkip,
  onNone,
  isBusy,
}: {
  lines: PriceLine[]
  onAccept: () => void
  onSkip: (reopen: boolean) => void
  onNone: () => void
  isBusy: boolean
}) {
  const { t } = useTranslation("price-imports")
  const isAside = lines.every(({ state }) => state === "skipped")
  return (
    <section className="chosen-bar" aria-label={t("chosen", { count: lines.length })}>
      <b>{t("chosen", { count: lines.length })}</b>
      <Button size="sm" look="ghost" className="max-md:hidden" onClick={onNone}>
        {t("chooseNone")}
      </Button>
      <span className="grow" />
      <Button isBusy={isBusy} onClick={() => onSkip(isAside)}>
        {isAside ? t("reopen") : t("skip")}
      </Button>
      <Button look="primary" onClick={onAccept}>
        {t("accept")}
      </Button>
    </section>
  )
}

function Lines({ found }: { found: PriceImport }) {
  const { t } = useTranslation("price-imports")
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const [chosen, setChosen] = useState<ReadonlySet<number>>(new Set())
  const [open, setOpen] = useState<PriceLine | null>(null)
  const [isAccepting, setAccepting] = useState(false)
  const { rows, error, retry, more } = useLines(found.id, search)
  const acts = useImportActs(found.id)
  const change = (wanted: LinesSearch) =>
    navigate({ search: (before) => ({ ...before, ...wanted }), replace: true, resetScroll: false })
  const choose = (numbers: number[], isOn: boolean) =>
    setChosen((before) => {
      const next = new Set(before)
      for (const number of numbers) isOn ? next.add(number) : next.delete(number)
      return next
    })
  const lines = (rows ?? []).filter(({ line }) => chosen.has(line))
  const columns = useLineColumns({ chosen, lines: rows ?? [], onChoose: choose })
  const isFiltered = Object.keys(search).length > 0
  return (
    <>
      <Filters found={found} search={search} onChange={(wanted) => void change(wanted)} />
      <LedgerTable
        label={t("lines")}
        isTwoLine
        isSticky
        columns={columns}
        rows={rows}
        keyOf={(row) => String(row.line)}
        onOpen={setOpen}
        isOn={(row) => row.line === open?.line}
        error={error}
        onRetry={retry}
        empty={
          <>
            <b>{t("noneFound")}</b>
            <p>{isFiltered ? t("noneFoundText") : t("noLines")}</p>
          </>
        }
      />
      <More more={more} />
      {lines.length > 0 && (
        <ChosenBar
          lines={lines}
          isBusy={acts.skip.isPending}
          onNone={() => setChosen(new Set())}
          onAccept={() => setAccepting(true)}
          onSkip={(reopen) =>
            acts.skip.mutate(
              { lines: lines.map(({ line }) => line), reopen },
              { onSuccess: () => setChosen(new Set()) },
            )
          }
        />
      )}
      <AcceptDialog
        found={found}
        lines={lines}
        isOpen={isAccepting}
        onClose={() => setAccepting(false)}
        onAccepted={async (count) => {
          await acts.again()
          setChosen(new Set())
          say({ tone: "good", title: t("acceptedToast", { count }) })
        }}
      />
      <Drawer isOpen={open !== null} onClose={() => setOpen(null)} title={t("line")}>
        {open && <LineDetail line={open} found={found} onRenamed={setOpen} />}
      </Drawer>
    </>
  )
}

export default function ImportPage() {
  const { t } = useTranslation("price-imports")
  const { importId } = route.useParams()
  const sourceName = useSourceName()
  const { data, error, refetch } = useQuery({
    queryKey: ["admin", "price-imports", importId],
    queryFn: ({ signal }) =>
      body(
        api().GET("/api/v1/admin/price-imports/{import_id}", {
          params: { path: { import_id: importId } },
          signal,
        }),
      ),
  })
  const acts = useImportActs(importId)
  if (error && !data) return <Failed error={error} onRetry={() => void refetch()} />
  return (
    <>
      <PageHead
        title={data ? [sourceName(data.source), data.facts.date].filter(Boolean).join(", ") : t("title")}
        text={t("linesText")}
      >
        <ButtonLink to="/console/admin/price-imports">{t("back")}</ButtonLink>
        <Button isBusy={acts.refresh.isPending} onClick={() => acts.refresh.mutate()}>
          <RotateCw className="i" aria-hidden="true" />
          {t("refresh")}
        </Button>
      </PageHead>
      {data && (
        <>
          <Facts found={data} />
          <Lines found={data} />
          <SkippedEntries found={data} />
        </>
      )}
    </>
  )
}
