import { useQuery } from "@tanstack/react-query"
import { ArrowUp } from "lucide-react"
import { Trans, useTranslation } from "react-i18next"
import type { UsageItem } from "../../api/types"
import { Amount } from "../../components/amount"
import { shortCount } from "../../format/exact"
import { countText } from "../../format/quota"
import { allTokens } from "./meters"
import { summaryQuery, type UsageFilters } from "./queries"

type Figures = { calls: bigint; tokens: bigint; charged: bigint; failed: bigint | null }

function fromRows(rows: UsageItem[]): Figures {
  return {
    calls: BigInt(rows.length),
    tokens: rows.reduce((sum, row) => sum + allTokens(row.usage), 0n),
    charged: rows.reduce((sum, row) => sum + BigInt(row.charged), 0n),
    failed: BigInt(rows.filter((row) => row.status === "failed").length),
  }
}

/** What the calls in the log come to. When every row is in sight the rows say it, else the API adds them up. */
function useFigures(
  filters: UsageFilters,
  rows: UsageItem[] | undefined,
  isComplete: boolean,
): Figures | null {
  // Without a beginning the API adds up another span than the log shows.
  const isAsked = rows !== undefined && !isComplete && filters.from !== undefined
  const all = useQuery({ ...summaryQuery(filters), enabled: isAsked }).data?.total
  const failed = useQuery({
    ...summaryQuery({ ...filters, status: "failed" }),
    enabled: isAsked && filters.status === undefined,
  }).data?.total
  if (rows && isComplete) return fromRows(rows)
  if (!isAsked || !all) return null
  return {
    calls: BigInt(all.requests),
    tokens: allTokens(all.usage),
    charged: BigInt(all.charged),
    failed: failed ? BigInt(failed.requests) : null,
  }
}

function Figure({ name, figure }: { name: "calls" | "failed"; figure: bigint }) {
  const { t } = useTranslation("usage")
  return (
    <span>
      <Trans
        t={t}
        i18nKey={`sum.${name}`}
        values={{ figure: countText(figure) }}
        count={Number(figure)}
        components={{ 1: <b className="fig" /> }}
      />
    </span>
  )
}

export function SummaryLine({
  filters,
  rows,
  isComplete,
  newer,
  onNewer,
}: {
  filters: UsageFilters
  rows: UsageItem[] | undefined
  isComplete: boolean
  newer: { count: number; isMore: boolean } | undefined
  onNewer: () => void
}) {
  const { t } = useTranslation("usage")
  const figures = useFigures(filters, rows, isComplete)
  const tokens = shortCount(figures?.tokens ?? 0n)
  return (
    <div className="sumline" aria-live="polite">
      {figures && figures.calls > 0n && (
        <>
          <Figure name="calls" figure={figures.calls} />
          {figures.tokens > 0n && (
            <span className="max-md:hidden" title={countText(figures.tokens)}>
              <b className="fig">{tokens.figure}</b>
              {tokens.suffix} {t("sum.tokens")}
            </span>
          )}
          {figures.charged > 0n ? (
            <span>
              <b>
                <Amount quota={figures.charged} as="cost" withSign />
              </b>{" "}
              {t("sum.charged")}
            </span>
          ) : (
            <span>{t("sum.nothing")}</span>
          )}
          {figures.failed !== null && figures.failed > 0n && (
            <span className="max-md:hidden">
              <Figure name="failed" figure={figures.failed} />
            </span>
          )}
        </>
      )}
      {newer && newer.count > 0 && (
        <button type="button" className="chip newer ml-auto" onClick={onNewer}>
          <ArrowUp className="i i-sm" aria-hidden="true" />
          {t("sum.newer", { figure: `${newer.count}${newer.isMore ? "+" : ""}` })}
        </button>
      )}
    </div>
  )
}
