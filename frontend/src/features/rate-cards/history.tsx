import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { pageQuery, usePages } from "../../api/pages"
import type { RateCard } from "../../api/types"
import { Nothing, useLedger } from "../../components/amount"
import { Drawer } from "../../components/dialog"
import { type Column, LedgerTable } from "../../components/ledger-table"
import { More } from "../../components/more"
import { type Meter, OTHER_METERS, perOf } from "../../components/rates"
import { useMeterName } from "../../components/receipt"
import { Tag } from "../../components/state"
import { useNow, When } from "../../components/when"
import { rateText } from "../../format/quota"

const MILLION = 1_000_000

function plainRate(card: RateCard | null, meter: Meter, unit: number): string | null {
  const rate = card?.rates[meter]
  const per = perOf(meter)
  return rate == null ? null : rateText({ rate, per }, MILLION, per, unit)
}

/** The most decimals of a meter's rates on these cards, so that a column's points stand in line. */
export function rateDecimals(cards: (RateCard | null)[], meter: Meter, unit: number): number {
  return Math.max(2, ...cards.map((card) => plainRate(card, meter, unit)?.split(".")[1]?.length ?? 0))
}

/** A rate of a card as it stands there, before any multiplier. `decimals` lines it up with others of a column. */
export function CardRate({
  card,
  meter,
  decimals = 0,
}: {
  card: RateCard | null
  meter: Meter
  decimals?: number
}) {
  const { unit } = useLedger()
  const text = plainRate(card, meter, unit)
  const pad = (digits: string) => (
    <span className="pad" aria-hidden="true">
      {digits}
    </span>
  )
  if (text === null) {
    return (
      <span className="fig">
        <Nothing />
        {decimals > 0 && pad(`.${"0".repeat(decimals)}`)}
      </span>
    )
  }
  return (
    <span className="fig">
      {text}
      {pad("0".repeat(Math.max(0, decimals - (text.split(".")[1]?.length ?? 0))))}
    </span>
  )
}

/** The rates of a card that have no column. */
export function OtherRates({ card }: { card: RateCard }) {
  const { unit } = useLedger()
  const meterName = useMeterName()
  return OTHER_METERS.filter((meter) => card.rates[meter] != null).map((meter) => (
    <span key={meter} className="whitespace-nowrap">
      {" · "}
      {meterName(meter)} <span className="fig">{plainRate(card, meter, unit)}</span>
    </span>
  ))
}

function Versions({ model }: { model: string }) {
  const { t } = useTranslation("admin")
  const { sign, unit } = useLedger()
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
        unit: `${sign} / 1M`,
        kind: "num",
        bone: 40,
        cell: (row) => <CardRate card={row} meter={meter} decimals={rateDecimals(rows ?? [], meter, unit)} />,
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
