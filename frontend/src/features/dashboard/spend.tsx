import { useQuery } from "@tanstack/react-query"
import { ChartColumn, Table2 } from "lucide-react"
import { useTranslation } from "react-i18next"
import { Amount, useLedger } from "../../components/amount"
import { type Column as BarColumn, type Series, StackedBars } from "../../components/chart/stacked-bars"
import { Segmented } from "../../components/choice"
import { ExactAmount } from "../../components/exact-amount"
import { type Column, LedgerTable } from "../../components/ledger-table"
import { Failed } from "../../components/problem"
import { columnDecimals } from "../../format/exact"
import { dayLabel } from "../../format/log-time"
import { type DayCost, dayCosts, sumOf } from "./days"
import { stackQuery } from "./queries"
import { type DashboardSearch, DEFAULT_RANGE, RANGES, type Range } from "./search"
import { ChartSkeleton } from "./skeleton"

const TINTS = ["c1", "c2", "c3"] as const

/** `rows`: the parts of each day, from the bottom up. */
type Stack = { series: Series[]; totals: bigint[]; rows: bigint[][] }

/** What stands on what: the dearest models and the rest; one plain bar while they are not known. */
function useStack(days: DayCost[], now: number): Stack {
  const { t } = useTranslation("dashboard")
  const { data } = useQuery(stackQuery(now, days.length))
  const series: Series[] = []
  let rows: bigint[][] = days.map(({ charged }) => [charged])
  if (data && data.parts.length > 0) {
    const parts = data.parts.map(({ items }) => dayCosts(items, now, days.length))
    rows = days.map(({ charged }, index) => {
      const named = parts.map((part) => part[index]?.charged ?? 0n)
      const rest = charged - named.reduce((sum, part) => sum + part, 0n)
      // The questions were asked one after the other; a call in between must not make a negative rest.
      return data.hasOther ? [...named, rest < 0n ? 0n : rest] : named
    })
    series.push(...data.parts.map(({ name }, index): Series => ({ name, tint: TINTS[index] ?? "c3" })))
    if (data.hasOther) series.push({ name: t("spend.other"), tint: "c4" })
  } else {
    series.push({ name: t("spend.all"), tint: "c1" })
  }
  const totals = series.map((_, index) => rows.reduce((sum, row) => sum + (row[index] ?? 0n), 0n))
  return { series, totals, rows }
}

function Legend({ stack, total, days }: { stack: Stack; total: bigint; days: number }) {
  const { t } = useTranslation("dashboard")
  return (
    <div className="chart-legend">
      {stack.series.length > 1 &&
        stack.series.map(({ name, tint }, index) => (
          <span key={name} className="key">
            <i className={tint} />
            <span className={tint === "c4" ? undefined : "mono"}>{name}</span>
            <span className="text-ink-3">
              <Amount quota={stack.totals[index] ?? 0n} as="cost" withSign />
            </span>
          </span>
        ))}
      <span className="key ml-auto">
        <span className="text-ink-3">{t("nDays", { count: days })}</span>
        <b>
          <Amount quota={total} as="cost" withSign />
        </b>
      </span>
    </div>
  )
}

function DayTable({ days, stack }: { days: DayCost[]; stack: Stack }) {
  const { t, i18n } = useTranslation("dashboard")
  const { unit, sign } = useLedger()
  const isStacked = stack.series.length > 1
  const total = sumOf(days)
  const decimals = columnDecimals([...days.map(({ charged }) => charged), ...stack.rows.flat()], unit)
  const shown = (quota: bigint) =>
    quota === 0n ? <span className="q">–</span> : <ExactAmount quota={quota} decimals={decimals} />
  const columns: Column<DayCost>[] = [
    {
      id: "day",
      head: t("spend.day"),
      cell: (day) => dayLabel(day.day, i18n.language, { hasWeekday: true }),
    },
    ...(isStacked
      ? stack.series.map(
          ({ name }, index): Column<DayCost> => ({
            id: name,
            head: name,
            unit: sign,
            kind: "num",
            className: "max-lg:hidden",
            cell: (day) => shown(stack.rows[days.indexOf(day)]?.[index] ?? 0n),
          }),
        )
      : []),
    {
      id: "total",
      head: t("spend.total"),
      unit: sign,
      kind: "num",
      cell: (day) => <span className="font-strong">{shown(day.charged)}</span>,
    },
  ]
  return (
    <LedgerTable
      label={t("spend.title")}
      columns={columns}
      rows={[...days].reverse()}
      keyOf={({ day }) => day}
      empty={null}
      foot={
        <tr>
          <td>{t("nDays", { count: days.length })}</td>
          {isStacked &&
            stack.totals.map((part, index) => (
              <td key={stack.series[index]?.name} className="num max-lg:hidden">
                <ExactAmount quota={part} decimals={decimals} />
              </td>
            ))}
          <td className="num">
            <ExactAmount quota={total} decimals={decimals} />
          </td>
        </tr>
      }
    />
  )
}

function Filled({ days, now, view }: { days: DayCost[]; now: number; view: DashboardSearch["view"] }) {
  const { t, i18n } = useTranslation("dashboard")
  const stack = useStack(days, now)
  const columns: BarColumn[] = days.map((day, index) => ({
    id: day.day,
    label: index === days.length - 1 ? t("today") : dayLabel(day.day, i18n.language),
    title: dayLabel(day.day, i18n.language, { hasWeekday: true }),
    total: day.charged,
    parts: stack.rows[index] ?? [],
  }))
  return (
    <>
      <Legend stack={stack} total={sumOf(days)} days={days.length} />
      {view === "table" ? (
        <DayTable days={days} stack={stack} />
      ) : (
        <StackedBars label={t("spend.chart")} columns={columns} series={stack.series} />
      )}
    </>
  )
}

/** One question: what did each day cost? */
export function Spend({
  days,
  now,
  error,
  onRetry,
  search,
  onChange,
}: {
  /** Undefined while loading. */
  days: DayCost[] | undefined
  now: number
  error: unknown
  onRetry: () => void
  search: DashboardSearch
  onChange: (change: DashboardSearch) => void
}) {
  const { t } = useTranslation("dashboard")
  return (
    <section className="sec" aria-labelledby="spend">
      <div className="sec-head">
        <h2 id="spend">{t("spend.title")}</h2>
        <div className="acts">
          <Segmented
            label={t("spend.range")}
            isSmall
            value={String(search.days ?? DEFAULT_RANGE)}
            options={RANGES.map((range) => ({
              value: String(range),
              label: t("spend.days", { count: range }),
            }))}
            onValue={(value) => onChange({ days: Number(value) as Range })}
          />
          <Segmented<"chart" | "table">
            label={t("spend.view")}
            isSmall
            value={search.view ?? "chart"}
            options={[
              {
                value: "chart",
                label: (
                  <>
                    <ChartColumn className="i i-sm" aria-hidden="true" />
                    {t("spend.asChart")}
                  </>
                ),
              },
              {
                value: "table",
                label: (
                  <>
                    <Table2 className="i i-sm" aria-hidden="true" />
                    {t("spend.asTable")}
                  </>
                ),
              },
            ]}
            onValue={(view) => onChange({ view: view === "table" ? "table" : undefined })}
          />
        </div>
      </div>
      {days ? (
        sumOf(days) === 0n ? (
          <div className="state-box">
            <ChartColumn className="i" aria-hidden="true" />
            <h3>{t("spend.none")}</h3>
            <p>{t("spend.noneText")}</p>
          </div>
        ) : (
          <Filled days={days} now={now} view={search.view} />
        )
      ) : error ? (
        <Failed error={error} onRetry={onRetry} />
      ) : (
        <ChartSkeleton />
      )}
    </section>
  )
}
