import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { pageQuery, usePages } from "../../api/pages"
import type { Reward } from "../../api/types"
import { Amount, Nothing, useLedger } from "../../components/amount"
import { type Column, LedgerTable } from "../../components/ledger-table"
import { More } from "../../components/more"
import { State, type Tone } from "../../components/state"
import { When } from "../../components/when"
import { decimalsOf } from "../../format/quota"

const TONES: Record<Reward["state"], Tone> = {
  pending: "half",
  released: "good",
  withheld: "off",
  taken_back: "bad",
}

function useColumns(rows: Reward[]): Column<Reward>[] {
  const { t } = useTranslation("referral")
  const { sign, unit } = useLedger()
  const decimals = Math.max(0, ...rows.map(({ amount }) => decimalsOf(amount, unit)))
  return [
    { id: "when", head: t("rewards.when"), cell: (row) => <When at={row.created_at} /> },
    { id: "who", head: t("rewards.who"), cell: (row) => row.other ?? <Nothing /> },
    {
      id: "what",
      head: t("rewards.what"),
      className: "max-md:hidden",
      cell: (row) => t(row.is_share ? "rewards.share" : `rewards.${row.side}`),
    },
    {
      id: "state",
      head: t("rewards.state"),
      cell: (row) => <State tone={TONES[row.state]}>{t(`states.${row.state}`)}</State>,
    },
    {
      id: "amount",
      head: t("rewards.amount"),
      unit: sign,
      kind: "num",
      cell: (row) => <Amount quota={row.amount} decimals={decimals} />,
    },
  ]
}

/** Every reward of the account, the newest first. */
export function Rewards() {
  const { t } = useTranslation("referral")
  const { rows, error, retry, more } = usePages(["referral", "rewards"], (cursor, signal) =>
    body(api().GET("/api/v1/referral/rewards", { params: { query: pageQuery(cursor) }, signal })),
  )
  return (
    <>
      <LedgerTable
        label={t("rewards.title")}
        columns={useColumns(rows ?? [])}
        rows={rows}
        keyOf={(row) => row.id}
        error={error}
        onRetry={retry}
        bones={2}
        empty={
          <>
            <b>{t("rewards.empty")}</b>
            <p>{t("rewards.emptyText")}</p>
          </>
        }
      />
      <More more={more} />
    </>
  )
}
