import { X } from "lucide-react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { pageQuery, usePages } from "../../api/pages"
import type { FoundCode, Redemption } from "../../api/types"
import { Amount, Nothing, useLedger } from "../../components/amount"
import { Button } from "../../components/button"
import { type Column, LedgerTable } from "../../components/ledger-table"
import { More } from "../../components/more"
import { Note } from "../../components/note"
import { When } from "../../components/when"
import { countText } from "../../format/quota"
import type { CodesSearch } from "./search"

function useColumns(onFilter: (filter: CodesSearch) => void): Column<Redemption>[] {
  const { t } = useTranslation("codes")
  const { sign } = useLedger()
  return [
    {
      id: "when",
      head: t("redemptions.when"),
      className: "soft",
      cell: (row) => <When at={row.redeemed_at} />,
    },
    {
      id: "account",
      head: t("redemptions.account"),
      cell: (row) => (
        <>
          <button
            type="button"
            className="name cursor-pointer text-left hover:underline"
            title={t("redemptions.onlyAccount", { name: row.account_name })}
            onClick={() => onFilter({ account: row.account_id })}
          >
            {row.account_name}
          </button>
          <span className="sub">{row.user_email ?? <Nothing />}</span>
        </>
      ),
    },
    {
      id: "batch",
      head: t("redemptions.batch"),
      className: "max-md:hidden",
      cell: (row) => (
        <button
          type="button"
          className="cursor-pointer text-left hover:underline"
          title={t("redemptions.onlyBatch", { name: row.batch_name })}
          onClick={() => onFilter({ batch: row.batch_id })}
        >
          {row.batch_name}
        </button>
      ),
    },
    {
      id: "code",
      head: t("redemptions.code"),
      className: "max-md:hidden",
      cell: (row) => <span className="mono">…{row.hint}</span>,
    },
    {
      id: "amount",
      head: t("redemptions.amount"),
      unit: sign,
      kind: "num",
      cell: (row) => <Amount quota={row.amount} />,
    },
  ]
}

/** What is known of the code that was looked for. */
function Found({ found: { batch, code } }: { found: FoundCode }) {
  const { t } = useTranslation("codes")
  return (
    <div className="mb-4">
      <Note tone={code.status === "open" ? "good" : "plain"}>
        {t("find.found", {
          hint: code.hint,
          batch: batch.name,
          status: t(`status.${code.status}`),
          uses: countText(code.uses),
          most: countText(batch.uses_per_code),
        })}
      </Note>
    </div>
  )
}

/** Who redeemed what, over all batches, or of one batch, code or account. */
export function Redemptions({
  search,
  found,
  onFilter,
}: {
  search: CodesSearch
  found: FoundCode | null
  onFilter: (filter: CodesSearch) => void
}) {
  const { t } = useTranslation("codes")
  const { batch, code, account } = search
  const { rows, error, retry, more } = usePages(
    ["admin", "redemptions", { batch, code, account }],
    (cursor, signal) =>
      body(
        api().GET("/api/v1/admin/redemptions", {
          params: {
            query: {
              ...pageQuery(cursor),
              ...(batch && { batch_id: batch }),
              ...(code && { code_id: code }),
              ...(account && { account_id: account }),
            },
          },
          signal,
        }),
      ),
  )
  const isFiltered = Boolean(batch || code || account)
  const named = account ? rows?.[0]?.account_name : rows?.[0]?.batch_name
  return (
    <>
      {found && found.code.id === code && <Found found={found} />}
      {isFiltered && (
        <div className="mb-4 flex flex-wrap items-center gap-2 text-13 text-ink-2">
          {t(code ? "redemptions.ofCode" : account ? "redemptions.ofAccount" : "redemptions.ofBatch")}
          {!code && named && <b className="wrap-anywhere">{named}</b>}
          <Button size="sm" look="ghost" onClick={() => onFilter({})}>
            <X className="i i-sm" aria-hidden="true" />
            {t("redemptions.all")}
          </Button>
        </div>
      )}
      <LedgerTable
        label={t("redemptions.title")}
        isTwoLine
        isSticky
        columns={useColumns(onFilter)}
        rows={rows}
        keyOf={(row) => row.transfer_id}
        error={error}
        onRetry={retry}
        empty={
          <>
            <b>{t("redemptions.empty")}</b>
            <p>{t(isFiltered ? "redemptions.emptyHere" : "redemptions.emptyText")}</p>
          </>
        }
      />
      <More more={more} />
    </>
  )
}
