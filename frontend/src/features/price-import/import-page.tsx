import "./price-import.css"
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query"
import { getRouteApi } from "@tanstack/react-router"
import { RotateCw } from "lucide-react"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { pageQuery, usePages } from "../../api/pages"
import type { PriceImport, PriceLine } from "../../api/types"
import { Button, ButtonLink } from "../../components/button"
import { Check, Chip } from "../../components/choice"
import { Drawer } from "../../components/dialog"
import { SearchInput, Select } from "../../components/input"
import { LedgerTable } from "../../components/ledger-table"
import { More } from "../../components/more"
import { PageHead } from "../../components/page"
import { Failed, useProblemText } from "../../components/problem"
import { say } from "../../components/toast"
import { useUrlText } from "../../components/url-text"
import { When } from "../../components/when"
import { changeText } from "../../format/part"
import { countText } from "../../format/quota"
import { AcceptDialog } from "./accept-dialog"
import { useSourceName } from "./imports-page"
import { useLineColumns } from "./line-columns"
import { LineDetail } from "./line-detail"
import { CHANGES, LINE_STATES, type LineState, type LinesSearch } from "./search"

const route = getRouteApi("/console/admin/price-imports/$importId")

function Facts({ found }: { found: PriceImport }) {
  const { t } = useTranslation("price-imports")
  return (
    <dl className="facts facts-row">
      <div>
        <dt>{t("for")}</dt>
        <dd>{found.channel_id ? t("costsOf", { name: found.channel ?? "–" }) : t("pricesOfModels")}</dd>
      </div>
      <div>
        <dt>{t("factor")}</dt>
        <dd className="fig">
          ×{found.factor}
          {found.markup_micros !== 0 && ` ${changeText(found.markup_micros)}`}
        </dd>
      </div>
      <div>
        <dt>{t("who")}</dt>
        <dd>
          {found.created_by_email ?? t("nobody")}, <When at={found.created_at} />
        </dd>
      </div>
      <div>
        <dt>{t("accepted")}</dt>
        <dd className="fig">
          {countText(found.accepted)} / {countText(found.lines)}
        </dd>
      </div>
    </dl>
  )
}

function Filters({
  found,
  search,
  onChange,
}: {
  found: PriceImport
  search: LinesSearch
  onChange: (change: LinesSearch) => void
}) {
  const { t } = useTranslation("price-imports")
  const [text, setText] = useUrlText(search.q ?? "", (q) => onChange({ q: q || undefined }))
  const vendors = Object.entries(found.vendors)
  return (
    <div className="mb-4 grid gap-3">
      <div className="flex flex-wrap items-center gap-3">
        <SearchInput boxClass="md:w-[260px]!" label={t("search")} value={text} onValue={setText} />
        {vendors.length > 1 && (
          <Select
            boxClass="w-auto!"
            aria-label={t("vendor")}
            value={search.vendor ?? ""}
            onChange={(event) => onChange({ vendor: event.target.value || undefined })}
          >
            <option value="">{t("everyVendor")}</option>
            {vendors.map(([vendor, lines]) => (
              <option key={vendor} value={vendor}>
                {vendor} ({countText(lines)})
              </option>
            ))}
          </Select>
        )}
        <Select
          boxClass="w-auto!"
          aria-label={t("state")}
          value={search.state ?? ""}
          onChange={(event) =>
            onChange({ state: (event.target.value || undefined) as LineState | undefined })
          }
        >
          <option value="">{t("everyState")}</option>
          {LINE_STATES.map((state) => (
            <option key={state} value={state}>
              {t(`states.${state}`)}
            </option>
          ))}
        </Select>
      </div>
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        {/* biome-ignore lint/a11y/useSemanticElements: chips are buttons in a row */}
        <div className="flex flex-wrap gap-2" role="group" aria-label={t("change")}>
          <Chip isOn={search.change === undefined} onPress={() => onChange({ change: undefined })}>
            {t("all")} <span className="q fig">{countText(found.lines)}</span>
          </Chip>
          {CHANGES.filter((change) => found.changes[change]).map((change) => (
            <Chip key={change} isOn={search.change === change} onPress={() => onChange({ change })}>
              {t(`changes.${change}`)} <span className="q fig">{countText(found.changes[change] ?? 0)}</span>
            </Chip>
          ))}
        </div>
        <Check isOn={search.known === true} onChange={(isOn) => onChange({ known: isOn || undefined })}>
          {t("onlyKnown")}
        </Check>
        <Check isOn={search.left === true} onChange={(isOn) => onChange({ left: isOn || undefined })}>
          {t("onlyUnmapped")}
        </Check>
      </div>
    </div>
  )
}

function SkippedEntries({ found }: { found: PriceImport }) {
  const { t } = useTranslation("price-imports")
  if (found.skipped.length === 0) return null
  return (
    <details className="fold mt-6">
      <summary>{t("skippedEntries", { count: found.skipped.length })}</summary>
      <ul className="mt-3 grid gap-1 text-13">
        {found.skipped.slice(0, 200).map((entry, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a list may have entries of one name, or of none
          <li key={index} className="wrap-anywhere">
            <span className="mono">{entry.name || "–"}</span>: {entry.reason}
          </li>
        ))}
      </ul>
    </details>
  )
}

function useImportActs(importId: string) {
  const { t } = useTranslation("price-imports")
  const queries = useQueryClient()
  const textOf = useProblemText()
  const again = () =>
    Promise.all(
      [
        ["admin", "price-imports"],
        ["admin", "models"],
        ["admin", "rate-cards"],
        ["admin", "channel-costs"],
        ["pricing"],
      ].map((queryKey) => queries.invalidateQueries({ queryKey })),
    )
  const path = { import_id: importId }
  const failed = (error: unknown) => say({ tone: "bad", title: t("failed"), text: textOf(error) })
  const skip = useMutation({
    mutationFn: (change: { lines: number[]; reopen: boolean }) =>
      body(api().POST("/api/v1/admin/price-imports/{import_id}/skip", { params: { path }, body: change })),
    onSuccess: again,
    onError: failed,
  })
  const refresh = useMutation({
    mutationFn: () =>
      body(api().POST("/api/v1/admin/price-imports/{import_id}/refresh", { params: { path } })),
    onSuccess: async () => {
      await again()
      say({ tone: "good", title: t("refreshed") })
    },
    onError: failed,
  })
  return { again, skip, refresh }
}

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
      <Button size="sm" look="ghost" onClick={onNone}>
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
        {open && <LineDetail line={open} found={found} />}
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
