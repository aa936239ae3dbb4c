import { useQuery } from "@tanstack/react-query"
import { ArrowUp } from "lucide-react"
import { Trans, useTranslation } from "react-i18next"
import type { Summary, UsageItem } from "../../api/types"
import { Amount } from "../../components/amount"
import { shortCount } from "../../format/exact"
import { countText } from "../../format/quota"
import { allTokens } from "./meters"
import { summaryQuery } from "./queries"
import type { UsageSearch } from "./search"
import type { Instants } from "./span"

type Figures = { calls: bigint; tokens: bigint; charged: string; failed: bigint | null }

function fromSummary(item: Summary["total"] | undefined): Figures {
  return {
    calls: BigInt(item?.requests ?? 0),
    tokens: allTokens(item?.usage ?? {}),
    charged: String(item?.charged ?? 0),
    failed: null,
  }
}

function fromRows(rows: UsageItem[]): Figures {
  return {
    calls: BigInt(rows.length),
    tokens: rows.reduce((sum, row) => sum + allTokens(row.usage), 0n),
    charged: String(rows.reduce((sum, row) => sum + BigInt(row.charged), 0n)),
    failed: BigInt(rows.filter((row) => row.status === "failed").length),
  }
}

/**
 * What the calls in the log come to. When every row is in sight the rows say it; else the summary does, which can name
 * one model or one key but no finer cut: then nothing is said rather than something wrong.
 */
function useFigures(
  search: UsageSearch,
  instants: Instants,
  rows: UsageItem[] | undefined,
  isComplete: boolean,
): Figures | null {
  const groupBy = search.key ? "key" : "model"
  const { data } = useQuery(summaryQuery(groupBy, instants))
  if (rows && isComplete) return fromRows(rows)
  if (!rows || !data || search.state || (search.model && search.key)) return null
  const one = search.key ?? search.model
  return fromSummary(one ? data.items.find((item) => item.key === one) : data.total)
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
  search,
  instants,
  rows,
  isComplete,
  newer,
  onNewer,
}: {
  search: UsageSearch
  instants: Instants
  rows: UsageItem[] | undefined
  isComplete: boolean
  newer: { count: number; isMore: boolean } | undefined
  onNewer: () => void
}) {
  const { t } = useTranslation("usage")
  const figures = useFigures(search, instants, rows, isComplete)
  const tokens = shortCount(figures?.tokens ?? 0n)
  return (
    <div className="sumline" aria-live="polite">
      {figures && figures.calls > 0n && (
        <>
          <Figure name="calls" figure={figures.calls} />
          <span className="max-md:hidden" title={countText(figures.tokens)}>
            <b className="fig">{tokens.figure}</b>
            {tokens.suffix} {t("sum.tokens")}
          </span>
          <span>
            <b>
              <Amount quota={figures.charged} as="cost" withSign />
            </b>{" "}
            {t("sum.charged")}
          </span>
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
