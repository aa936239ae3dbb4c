import { ReceiptText } from "lucide-react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { pageQuery, usePages } from "../../api/pages"
import type { Transfer } from "../../api/types"
import { Amount, Nothing, useLedger } from "../../components/amount"
import { type Column, LedgerTable } from "../../components/ledger-table"
import { More } from "../../components/more"
import { Section } from "../../components/page"
import { When } from "../../components/when"
import { decimalsOf } from "../../format/quota"

function useTransfers() {
  return usePages(["transfers"], (cursor, signal) =>
    body(api().GET("/api/v1/wallet/transfers", { params: { query: pageQuery(cursor) }, signal })),
  )
}

function useColumns(rows: Transfer[]): Column<Transfer>[] {
  const { t, i18n } = useTranslation("topup")
  const { sign, unit } = useLedger()
  const decimals = Math.max(...rows.map((row) => decimalsOf(row.amount, unit)))
  const kindOf = ({ kind }: Transfer) =>
    i18n.exists(`kind.${kind}`, { ns: "topup" }) ? t(`kind.${kind}` as "kind.usage") : kind
  return [
    { id: "when", head: t("history.when"), cell: (row) => <When at={row.created_at} as="time" /> },
    { id: "what", head: t("history.what"), className: "what", cell: kindOf },
    {
      id: "reference",
      head: t("history.reference"),
      className: "max-lg:hidden",
      bone: 140,
      cell: (row) => (
        <span className="mono quiet block max-w-72 truncate" title={row.reference}>
          {row.reference}
        </span>
      ),
    },
    {
      id: "amount",
      head: t("history.amount"),
      unit: sign,
      kind: "num",
      cell: (row) => <Amount quota={row.amount} plus decimals={decimals} />,
    },
    {
      id: "after",
      head: t("history.after"),
      unit: sign,
      kind: "num",
      className: "max-md:hidden soft",
      cell: (row) =>
        row.balance_after === null ? <Nothing /> : <Amount quota={row.balance_after} as="balance" />,
    },
  ]
}

/** Everything that moved this wallet, the newest first; a day's usage is one line. */
export function History() {
  const { t } = useTranslation("topup")
  const { rows, error, retry, more } = useTransfers()
  return (
    <Section title={t("history.title")}>
      <LedgerTable
        label={t("history.title")}
        isSticky
        columns={useColumns(rows ?? [])}
        rows={rows}
        keyOf={(row) => row.id}
        error={error}
        failedTitle={t("history.failed")}
        onRetry={retry}
        bones={4}
        empty={
          <>
            <ReceiptText className="i" aria-hidden="true" />
            <b>{t("history.empty")}</b>
            <p>{t("history.emptyText")}</p>
          </>
        }
      />
      <More more={more} />
    </Section>
  )
}
