import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { usePages } from "../../api/pages"
import type { Delivery } from "../../api/types"
import { Nothing } from "../../components/amount"
import { type Column, LedgerTable } from "../../components/ledger-table"
import { More } from "../../components/more"
import { Section } from "../../components/page"
import { State } from "../../components/state"
import { When } from "../../components/when"

const TONES = { pending: "half", delivered: "good", failed: "bad" } as const

/** How telling of alerts went. Nothing is drawn before anything was told. */
export function Deliveries() {
  const { t } = useTranslation("alerts")
  const { rows, error, retry, more } = usePages<Delivery>(["alerts", "deliveries"], (cursor, signal) =>
    body(
      api().GET("/api/v1/alerts/deliveries", {
        params: { query: { limit: 20, ...(cursor && { cursor }) } },
        signal,
      }),
    ),
  )
  const columns: Column<Delivery>[] = [
    { id: "at", head: t("delivery.at"), className: "soft", cell: (row) => <When at={row.created_at} /> },
    {
      id: "event",
      head: t("delivery.event"),
      cell: (row) => (
        <>
          <span className="mono">{row.event}</span>
          {row.error && <span className="sub">{row.error}</span>}
        </>
      ),
    },
    {
      id: "status",
      head: t("delivery.answer"),
      className: "max-sm:hidden",
      cell: (row) => (row.status === null ? <Nothing /> : <span className="fig">{row.status}</span>),
    },
    {
      id: "state",
      head: t("stateHead"),
      cell: (row) => (
        <>
          <State tone={TONES[row.state]}>{t(`delivery.${row.state}`, { count: row.attempts })}</State>
          {row.due_at && row.attempts > 0 && (
            <span className="sub">
              {t("delivery.next")} <When at={row.due_at} as="time" />
            </span>
          )}
        </>
      ),
    },
  ]
  if (rows?.length === 0) return null
  return (
    <Section title={t("delivery.title")} text={t("delivery.text")}>
      <LedgerTable
        label={t("delivery.title")}
        isTwoLine
        columns={columns}
        rows={rows}
        keyOf={(row) => row.id}
        error={error}
        onRetry={retry}
        empty={null}
        bones={2}
      />
      <More more={more} />
    </Section>
  )
}
