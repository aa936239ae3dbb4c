import { ArrowDown } from "lucide-react"
import type { KeyboardEvent, ReactNode } from "react"
import { useTranslation } from "react-i18next"
import type { UsageItem } from "../../api/types"
import { Amount, Nothing, useLedger } from "../../components/amount"
import { type Column, LedgerTable } from "../../components/ledger-table"
import { State } from "../../components/state"
import { useNow } from "../../components/when"
import { logTime } from "../../format/log-time"
import { countText } from "../../format/quota"
import { exactTime } from "../../format/time"
import { tokensOf } from "./meters"

const BONES = 12

function Tokens({ count }: { count: bigint | null }) {
  if (count === null) return <Nothing />
  return count === 0n ? <span className="q">0</span> : countText(count)
}

function Milliseconds({ value }: { value: number | null }) {
  return value === null ? <Nothing /> : <span className="text-ink-2">{countText(value)}</span>
}

function Time({ at }: { at: string }) {
  const { i18n } = useTranslation()
  const now = useNow()
  const { time, day } = logTime(at, now, i18n.language)
  return (
    <time dateTime={at} title={exactTime(at, i18n.language)} className="nowrap fig text-ink-2">
      {time}
      {day && <span className="day">{day}</span>}
    </time>
  )
}

/** What left the wallet, and a word where the call did not simply end well. */
function Cost({ row }: { row: UsageItem }) {
  const { t } = useTranslation("usage")
  if (row.status === "failed" && row.charged === 0) {
    return (
      <span className="text-12">
        <State tone="bad">
          <span>
            <span className="max-lg:hidden">{t("row.failed")} </span>
            {t("row.notCharged")}
          </span>
        </State>
      </span>
    )
  }
  const word =
    row.status === "partial" ? t("row.partial") : row.status === "cancelled" ? t("row.cancelled") : null
  return (
    <>
      {word && <span className="part">{word}</span>}
      {row.charged === 0 ? (
        <span className="text-12 text-ink-3">{t("row.notCharged")}</span>
      ) : (
        <Amount quota={row.charged} as="cost" />
      )}
    </>
  )
}

function useColumns(keyName: (id: string) => string): Column<UsageItem>[] {
  const { t } = useTranslation("usage")
  const { sign } = useLedger()
  const tokens = (part: "input" | "cached" | "output"): Column<UsageItem> => ({
    id: part,
    head: t(`head.${part}`),
    kind: "num",
    className: "max-md:hidden",
    bone: 40,
    cell: (row) => <Tokens count={tokensOf(row.usage)[part]} />,
  })
  return [
    {
      id: "time",
      head: (
        <span className="sort">
          {t("head.time")}
          <ArrowDown className="i" aria-hidden="true" />
        </span>
      ),
      bone: 64,
      cell: (row) => <Time at={row.created_at} />,
    },
    {
      id: "model",
      head: t("model"),
      cell: (row) => (
        <>
          <span className="mono" title={row.model}>
            {row.model}
          </span>
          <span className="sub md:hidden" title={keyName(row.key_id)}>
            {keyName(row.key_id)}
          </span>
        </>
      ),
    },
    {
      id: "key",
      head: t("key"),
      className: "max-md:hidden",
      cell: (row) => (
        <span className="text-ink-2" title={keyName(row.key_id)}>
          {keyName(row.key_id)}
        </span>
      ),
    },
    tokens("input"),
    tokens("cached"),
    tokens("output"),
    {
      id: "first",
      head: t("head.first"),
      unit: "ms",
      kind: "num",
      className: "max-md:hidden",
      bone: 32,
      cell: (row) => <Milliseconds value={row.first_token_ms} />,
    },
    {
      id: "latency",
      head: t("head.latency"),
      unit: "ms",
      kind: "num",
      className: "max-md:hidden lat",
      bone: 40,
      cell: (row) => <Milliseconds value={row.latency_ms} />,
    },
    {
      id: "cost",
      head: t("head.cost"),
      unit: sign,
      kind: "num",
      bone: 64,
      cell: (row) => <Cost row={row} />,
    },
  ]
}

export function UsageTable({
  rows,
  error,
  onRetry,
  empty,
  keyName,
  opened,
  onOpen,
}: {
  rows: UsageItem[] | undefined
  error: unknown
  onRetry: () => void
  empty: ReactNode
  keyName: (id: string) => string
  /** The request whose receipt is open. */
  opened: string | undefined
  onOpen: (requestId: string) => void
}) {
  const { t } = useTranslation("usage")
  const columns = useColumns(keyName)
  const follow = (event: KeyboardEvent<HTMLDivElement>) => {
    if (!opened) return
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return
    // The row under the cursor has moved already; an open receipt goes with it.
    const row = document.activeElement?.closest("tbody tr")
    const item = row instanceof HTMLTableRowElement ? rows?.[row.sectionRowIndex] : undefined
    if (item) onOpen(item.request_id)
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: keys pressed on the rows inside end here
    <div onKeyDown={follow}>
      <LedgerTable
        label={t("title")}
        columns={columns}
        rows={rows}
        keyOf={(row) => row.request_id}
        error={error}
        onRetry={onRetry}
        failedTitle={t("failedTitle")}
        empty={empty}
        bones={BONES}
        isSticky
        onOpen={(row) => onOpen(row.request_id)}
        isOn={(row) => row.request_id === opened}
        className="log"
      />
    </div>
  )
}
