import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { pageQuery, usePages } from "../../api/pages"
import type { RateCard } from "../../api/types"
import { Nothing, useLedger } from "../../components/amount"
import { Drawer } from "../../components/dialog"
import { type Column, LedgerTable } from "../../components/ledger-table"
import { More } from "../../components/more"
import { Tag } from "../../components/state"
import { useNow, When } from "../../components/when"
import { rateText } from "../../format/quota"
import { type Meter, perOf } from "./rates"

const MILLION = 1_000_000

/** A rate of a card as it stands there, before any multiplier. */
export function CardRate({ card, meter }: { card: RateCard | null; meter: Meter }) {
  const { unit } = useLedger()
  const rate = card?.rates[meter]
  if (rate == null) return <Nothing />
  const per = perOf(meter)
  return <span className="fig">{rateText({ rate, per }, MILLION, per, unit)}</span>
}

function Versions({ model }: { model: string }) {
  const { t } = useTranslation("admin")
  const { sign } = useLedger()
  const now = useNow()
  const { rows, error, retry, more } = usePages(["admin", "rate-cards", model], (cursor, signal) =>
    body(
      api().GET("/api/v1/admin/rate-cards", { params: { query: { ...pageQuery(cursor), model } }, signal }),
    ),
  )
  const columns: Column<RateCard>[] = [
    { id: "version", head: t("rates.version"), cell: (row) => <span className="fig">{row.version}</span> },
    {
      id: "from",
      head: t("rates.from"),
      cell: (row) => (
        <span className="flex flex-wrap items-center gap-2">
          <When at={row.effective_at} as="time" />
          {Date.parse(row.effective_at) > now && <Tag tone="accent">{t("rates.toCome")}</Tag>}
        </span>
      ),
    },
    ...(["input", "cached_input", "output"] as const).map(
      (meter): Column<RateCard> => ({
        id: meter,
        head: t(`rates.${meter}`),
        unit: sign,
        kind: "num",
        bone: 40,
        cell: (row) => <CardRate card={row} meter={meter} />,
      }),
    ),
  ]
  return (
    <div className="px-6 py-4">
      <LedgerTable
        label={t("rates.history")}
        columns={columns}
        rows={rows}
        keyOf={(row) => row.id}
        error={error}
        onRetry={retry}
        bones={3}
        empty={<p>{t("rates.noHistory")}</p>}
      />
      <More more={more} />
    </div>
  )
}

/** Every price that a model had, and those to come. */
export function HistoryDrawer({
  model,
  isOpen,
  onClose,
}: {
  model: string
  isOpen: boolean
  onClose: () => void
}) {
  const { t } = useTranslation("admin")
  return (
    <Drawer isOpen={isOpen} onClose={onClose} title={t("rates.historyOf", { name: model })}>
      <Versions model={model} />
    </Drawer>
  )
}
