import type { ReactNode } from "react"
import { useTranslation } from "react-i18next"
import type { Summary } from "../../api/types"
import { useLedger } from "../../components/amount"
import { ExactAmount } from "../../components/exact-amount"
import { type Column, LedgerTable } from "../../components/ledger-table"
import { Section } from "../../components/page"
import { Bar } from "../../components/state"
import { columnDecimals } from "../../format/exact"
import { countText } from "../../format/quota"
import { type Share, sharesOf } from "./shares"

const MOST = 6

/** Who took how much of the cost. The bars compare with the largest; the lines add up to the total. */
export function ShareTable({
  title,
  head,
  link,
  data,
  days,
  error,
  onRetry,
  nameOf,
  hint,
}: {
  title: string
  head: string
  link: ReactNode
  data: Summary | undefined
  days: number
  error: unknown
  onRetry: () => void
  nameOf: (key: string) => ReactNode
  /** A line under the rows. */
  hint?: ReactNode
}) {
  const { t } = useTranslation("dashboard")
  const { unit, sign } = useLedger()
  const rows = data && sharesOf(data.items, MOST)
  const decimals = columnDecimals(rows?.map(({ charged }) => charged) ?? [], unit)
  const columns: Column<Share>[] = [
    {
      id: "name",
      head,
      cell: ({ key, count }) =>
        key === null ? <span className="text-ink-3">{t("share.others", { count })}</span> : nameOf(key),
    },
    {
      id: "requests",
      head: t("share.requests"),
      kind: "num",
      bone: 40,
      cell: ({ requests }) => <span className="text-ink-2">{countText(requests)}</span>,
    },
    {
      id: "share",
      head: t("share.share"),
      className: "sh",
      cell: ({ percent }) => <Bar percent={percent} />,
    },
    {
      id: "cost",
      head: t("share.cost"),
      unit: sign,
      kind: "num",
      cell: ({ charged }) =>
        charged === 0n ? <span className="q">–</span> : <ExactAmount quota={charged} decimals={decimals} />,
    },
  ]
  return (
    <Section title={title} actions={link}>
      <LedgerTable
        label={title}
        columns={columns}
        rows={rows}
        keyOf={({ key }) => key ?? ""}
        error={error}
        onRetry={onRetry}
        empty={<p>{t("share.none")}</p>}
        className="shares"
        foot={
          data && (
            <>
              {hint && (
                <tr className="hint">
                  <td colSpan={4}>{hint}</td>
                </tr>
              )}
              <tr>
                <td>{t("nDays", { count: days })}</td>
                <td className="num">{countText(data.total.requests)}</td>
                <td className="sh" />
                <td className="num">
                  <ExactAmount quota={data.total.charged} decimals={decimals} />
                </td>
              </tr>
            </>
          )
        }
      />
    </Section>
  )
}
