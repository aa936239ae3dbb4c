import { useInfiniteQuery } from "@tanstack/react-query"
import { ReceiptText } from "lucide-react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import type { Transfer } from "../../api/types"
import { Amount, useLedger } from "../../components/amount"
import { Button } from "../../components/button"
import { type Column, LedgerTable } from "../../components/ledger-table"
import { Section } from "../../components/page"
import { When } from "../../components/when"

const PAGE = 20

function useTransfers() {
  return useInfiniteQuery({
    queryKey: ["transfers"],
    queryFn: ({ pageParam, signal }) =>
      body(
        api().GET("/api/v1/wallet/transfers", {
          params: { query: { limit: PAGE, ...(pageParam && { cursor: pageParam }) } },
          signal,
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor,
  })
}

function useColumns(): Column<Transfer>[] {
  const { t, i18n } = useTranslation("topup")
  const { sign } = useLedger()
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
      cell: (row) => <Amount quota={row.amount} as="cost" plus />,
    },
    {
      id: "after",
      head: t("history.after"),
      unit: sign,
      kind: "num",
      className: "max-md:hidden soft",
      cell: (row) => <Amount quota={row.balance_after} as="balance" />,
    },
  ]
}

/** Everything that moved this wallet, the newest first; a day's usage is one line. */
export function History() {
  const { t } = useTranslation(["topup", "common"])
  const { data, error, refetch, hasNextPage, fetchNextPage, isFetchingNextPage } = useTransfers()
  return (
    <Section title={t("history.title")}>
      <LedgerTable
        label={t("history.title")}
        isSticky
        columns={useColumns()}
        rows={data?.pages.flatMap((page) => page.items)}
        keyOf={(row) => row.id}
        error={error}
        failedTitle={t("history.failed")}
        onRetry={() => void refetch()}
        bones={4}
        empty={
          <>
            <ReceiptText className="i" aria-hidden="true" />
            <h3>{t("history.empty")}</h3>
            <p>{t("history.emptyText")}</p>
          </>
        }
      />
      {hasNextPage && (
        <div className="pager">
          <Button size="sm" isBusy={isFetchingNextPage} onClick={() => void fetchNextPage()}>
            {t("common:more")}
          </Button>
        </div>
      )}
    </Section>
  )
}
