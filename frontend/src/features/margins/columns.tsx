import { useTranslation } from "react-i18next"
import type { Margin } from "../../api/types"
import { Amount, Nothing, useLedger } from "../../components/amount"
import type { Column } from "../../components/ledger-table"
import { dayLabel } from "../../format/log-time"
import { partText } from "../../format/part"
import { countText } from "../../format/quota"
import { coveredShare, marginShare } from "./figures"
import type { Grouping } from "./search"

export function Share({ micros }: { micros: number | null }) {
  if (micros === null) return <Nothing />
  return <span className={`fig ${micros < 0 ? "text-bad" : ""}`}>{partText(micros)}</span>
}

/** A day in the reader's words, a name where there is one. */
export function useKeyText(by: Grouping): (row: Margin) => string {
  const { t, i18n } = useTranslation("margins")
  return (row) => {
    if (by === "day") return dayLabel(row.key, i18n.language, { hasWeekday: true })
    if (by === "channel" && row.key === "") return t("noChannel")
    return row.label ?? row.key
  }
}

export function useColumns(by: Grouping): Column<Margin>[] {
  const { t } = useTranslation("margins")
  const { sign } = useLedger()
  const keyText = useKeyText(by)
  const known = (row: Margin, quota: string) =>
    row.covered_requests > 0 ? <Amount quota={quota} as="cost" /> : <Nothing />
  return [
    {
      id: "key",
      head: t(`by.${by}`),
      bone: 120,
      cell: (row) => <span className={by === "model" ? "mono" : undefined}>{keyText(row)}</span>,
    },
    {
      id: "requests",
      head: t("requests"),
      kind: "num",
      className: "max-lg:hidden",
      cell: (row) => <span className="fig">{countText(row.requests)}</span>,
    },
    {
      id: "charged",
      head: t("charged"),
      unit: sign,
      kind: "num",
      cell: (row) => <Amount quota={row.charged} as="cost" />,
    },
    {
      id: "covered",
      head: t("covered"),
      kind: "num",
      className: "max-md:hidden",
      cell: (row) => <Share micros={coveredShare(row)} />,
    },
    {
      id: "cost",
      head: t("cost"),
      unit: sign,
      kind: "num",
      className: "max-md:hidden",
      cell: (row) => known(row, row.provider_cost),
    },
    { id: "margin", head: t("margin"), unit: sign, kind: "num", cell: (row) => known(row, row.margin) },
    {
      id: "share",
      head: t("share"),
      kind: "num",
      className: "max-lg:hidden",
      cell: (row) => <Share micros={marginShare(row)} />,
    },
  ]
}
