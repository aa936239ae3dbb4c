import { useQuery } from "@tanstack/react-query"
import { getRouteApi } from "@tanstack/react-router"
import { Download } from "lucide-react"
import { type ReactNode, useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import type { Margin, MarginReport } from "../../api/types"
import { Amount, Nothing, useLedger } from "../../components/amount"
import { Button } from "../../components/button"
import { type Column as BarColumn, StackedBars } from "../../components/chart/stacked-bars"
import { Segmented } from "../../components/choice"
import { LedgerTable } from "../../components/ledger-table"
import { Note } from "../../components/note"
import { PageHead } from "../../components/page"
import { csv, download } from "../../format/csv"
import { dayLabel } from "../../format/log-time"
import { countText } from "../../format/quota"
import { Channels } from "./channels"
import { Share, useColumns, useKeyText } from "./columns"
import { coveredShare, cut, marginShare } from "./figures"
import { DEFAULT_RANGE, GROUPINGS, type Grouping, type MarginsSearch, RANGES, type Range } from "./search"

const route = getRouteApi("/console/admin/margins")

function useReport(by: Grouping, days: Range) {
  // Whole days of the reader, today among them. The span ends at the hour that follows, so that it stays the same while
  // somebody looks at it.
  const [end] = useState(() => Math.ceil(Date.now() / 3_600_000) * 3_600_000)
  const first = new Date(end - 1)
  first.setHours(0, 0, 0, 0)
  first.setDate(first.getDate() - days + 1)
  const tz = Intl.DateTimeFormat().resolvedOptions().timeZone
  const query = {
    group_by: by,
    tz,
    from: first.toISOString(),
    to: new Date(end).toISOString(),
  }
  return useQuery({
    queryKey: ["admin", "margins", query],
    queryFn: ({ signal }) => body(api().GET("/api/v1/admin/margins", { params: { query }, signal })),
  })
}

function Total({ total }: { total: Margin }) {
  const { t } = useTranslation("margins")
  const tile = (title: string, figure: ReactNode, text?: ReactNode) => (
    <div>
      <dt>{title}</dt>
      <dd className="fig">{figure}</dd>
      {text && <dd className="more">{text}</dd>}
    </div>
  )
  const isKnown = total.covered_requests > 0
  return (
    <dl className="strip mt-0! mb-6">
      {tile(
        t("charged"),
        <Amount quota={total.charged} as="balance" withSign />,
        t("requestsCount", { count: total.requests, figure: countText(total.requests) }),
      )}
      {tile(t("cost"), isKnown ? <Amount quota={total.provider_cost} as="balance" withSign /> : <Nothing />)}
      {tile(
        t("margin"),
        isKnown ? <Amount quota={total.margin} as="balance" withSign /> : <Nothing />,
        <Share micros={marginShare(total)} />,
      )}
      {tile(t("covered"), <Share micros={coveredShare(total)} />, t("coveredText"))}
    </dl>
  )
}

function Chart({ report }: { report: MarginReport }) {
  const { t, i18n } = useTranslation("margins")
  const keyText = useKeyText("day")
  const columns: BarColumn[] = report.items.map((row) => ({
    id: row.key,
    label: dayLabel(row.key, i18n.language),
    title: keyText(row),
    total: BigInt(row.charged),
    parts: cut(row),
  }))
  const series = [
    { name: t("cost"), tint: "c2" as const },
    { name: t("margin"), tint: "c1" as const },
    { name: t("unknown"), tint: "c4" as const },
  ]
  return (
    <>
      <div className="chart-legend">
        {series.map(({ name, tint }) => (
          <span key={name} className="key">
            <i className={tint} aria-hidden="true" />
            {name}
          </span>
        ))}
      </div>
      <div className="mb-8">
        <StackedBars label={t("chart")} columns={columns} series={series} />
      </div>
    </>
  )
}

export default function MarginsPage() {
  const { t } = useTranslation("margins")
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const by = search.by ?? "day"
  const days = search.days ?? DEFAULT_RANGE
  const { data, error, refetch } = useReport(by, days)
  const { unit } = useLedger()
  const columns = useColumns(by)
  const change = (wanted: MarginsSearch) =>
    navigate({ search: (before) => ({ ...before, ...wanted }), replace: true, resetScroll: false })
  const save = () =>
    download(
      `margins-${by}-${days}d.csv`,
      csv([
        [
          by,
          "label",
          "requests",
          "covered_requests",
          "charged",
          "covered",
          "provider_cost",
          "margin",
          "quota_per_unit",
        ],
        ...(data?.items ?? []).map((row) => [
          row.key,
          row.label ?? "",
          String(row.requests),
          String(row.covered_requests),
          row.charged,
          row.covered,
          row.provider_cost,
          row.margin,
          String(unit),
        ]),
      ]),
    )
  const isUncovered = data !== undefined && data.total.requests > 0 && data.total.covered_requests === 0
  return (
    <>
      <PageHead title={t("title")} text={t("text")}>
        <Button disabled={!data?.items.length} onClick={save}>
          <Download className="i" aria-hidden="true" />
          {t("export")}
        </Button>
      </PageHead>
      <div className="mb-4 flex flex-wrap items-center gap-3">
        <Segmented<Grouping>
          label={t("groupBy")}
          isSmall
          value={by}
          options={GROUPINGS.map((value) => ({ value, label: t(`by.${value}`) }))}
          onValue={(value) => void change({ by: value === "day" ? undefined : value })}
        />
        <Segmented
          label={t("range")}
          isSmall
          value={String(days)}
          options={RANGES.map((range) => ({ value: String(range), label: t("days", { count: range }) }))}
          onValue={(value) =>
            void change({ days: Number(value) === DEFAULT_RANGE ? undefined : (Number(value) as Range) })
          }
        />
      </div>
      {isUncovered && <Note tone="warn">{t("nothingKnown")}</Note>}
      {data && data.total.requests > 0 && <Total total={data.total} />}
      {data && by === "day" && data.total.charged !== "0" && <Chart report={data} />}
      <LedgerTable
        label={t("title")}
        isSticky
        columns={columns}
        rows={by === "day" ? data && [...data.items].reverse() : data?.items}
        keyOf={(row) => row.key}
        error={error}
        onRetry={() => void refetch()}
        empty={
          <>
            <b>{t("empty")}</b>
            <p>{t("emptyText")}</p>
          </>
        }
      />
      <Channels />
    </>
  )
}
