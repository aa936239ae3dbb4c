import { ReceiptText } from "lucide-react"
import { useTranslation } from "react-i18next"
import type { Offer, Order } from "../../api/types"
import { Amount, Nothing, useLedger } from "../../components/amount"
import { ButtonLink } from "../../components/button"
import { type Column, LedgerTable } from "../../components/ledger-table"
import { More } from "../../components/more"
import { Section } from "../../components/page"
import { State } from "../../components/state"
import { When } from "../../components/when"
import { moneyText } from "../../format/minor"
import { decimalsOf } from "../../format/quota"
import { hasReceipt, situationOf, TONES } from "./order-state"
import { useOrders } from "./queries"

/** The name of a method, as long as it is still offered. */
export function labelOf(methods: Offer[] | undefined, id: string): string {
  return methods?.find((method) => method.id === id)?.label ?? id
}

export function OrderState({ order }: { order: Order }) {
  const { t } = useTranslation("topup")
  const situation = situationOf(order)
  return <State tone={TONES[situation]}>{t(`state.${situation}`)}</State>
}

function useColumns(rows: Order[], methods: Offer[] | undefined): Column<Order>[] {
  const { t } = useTranslation("topup")
  const { sign, unit } = useLedger()
  const decimals = Math.max(2, ...rows.map((row) => decimalsOf(row.credited_quota, unit)))
  return [
    {
      id: "when",
      head: t("orders.when"),
      cell: (row) => (
        <>
          <When at={row.created_at} as="time" />
          <span className="sub md:hidden">
            <OrderState order={row} />
          </span>
        </>
      ),
    },
    {
      id: "method",
      head: t("orders.method"),
      className: "max-md:hidden",
      cell: (row) => labelOf(methods, row.method),
    },
    {
      id: "total",
      head: t("orders.total"),
      kind: "num",
      cell: (row) => <span className="fig">{moneyText(row.total, row.currency, row.exponent)}</span>,
    },
    {
      id: "credited",
      head: t("orders.credited"),
      unit: sign,
      kind: "num",
      className: "max-md:hidden",
      cell: (row) =>
        row.credited_quota > 0 ? <Amount quota={row.credited_quota} plus decimals={decimals} /> : <Nothing />,
    },
    {
      id: "state",
      head: t("orders.state"),
      className: "max-md:hidden",
      cell: (row) => <OrderState order={row} />,
    },
    {
      id: "act",
      head: <span className="sr-only">{t("orders.acts")}</span>,
      kind: "act",
      cell: (row) => <Act order={row} />,
    },
  ]
}

function Act({ order }: { order: Order }) {
  const { t } = useTranslation("topup")
  const params = { orderId: order.id }
  if (hasReceipt(order))
    return (
      <ButtonLink look="ghost" size="sm" to="/console/topup/orders/$orderId/receipt" params={params}>
        <ReceiptText className="i i-sm" aria-hidden="true" />
        {t("orders.receipt")}
      </ButtonLink>
    )
  return (
    <ButtonLink
      look={order.status === "pending" ? "plain" : "ghost"}
      size="sm"
      to="/console/topup/orders/$orderId"
      params={params}
    >
      {order.status === "pending" ? t("orders.continue") : t("orders.look")}
    </ButtonLink>
  )
}

/** Every order of the account, the newest first. */
export function Orders({ methods }: { methods: Offer[] | undefined }) {
  const { t } = useTranslation("topup")
  const { rows, error, retry, more } = useOrders()
  const columns = useColumns(rows ?? [], methods)
  // Where nothing is sold and nothing ever was, there is no history to speak of.
  if (methods?.length === 0 && !error && !rows?.length) return null
  return (
    <Section title={t("orders.title")}>
      <LedgerTable
        label={t("orders.title")}
        columns={columns}
        rows={rows}
        keyOf={(row) => row.id}
        error={error}
        failedTitle={t("orders.failed")}
        onRetry={retry}
        bones={3}
        empty={
          <>
            <ReceiptText className="i" aria-hidden="true" />
            <b>{t("orders.empty")}</b>
            <p>{t("orders.emptyText")}</p>
          </>
        }
      />
      <More more={more} />
    </Section>
  )
}
