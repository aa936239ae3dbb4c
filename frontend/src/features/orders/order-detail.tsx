import { useQuery, useQueryClient } from "@tanstack/react-query"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { quotaMoved } from "../../api/queries"
import type { AdminOrder, AdminOrderDetail } from "../../api/types"
import { Amount, useLedger } from "../../components/amount"
import { Button } from "../../components/button"
import { CopyButton } from "../../components/copy"
import { Note } from "../../components/note"
import { Block } from "../../components/page"
import { Failed } from "../../components/problem"
import { When } from "../../components/when"
import { moneyText } from "../../format/minor"
import { ConfirmDialog, RefundDialog, ResolveDialog } from "./act-dialogs"
import { Disputes } from "./disputes"
import { OrderState } from "./order-state"
import { Story } from "./story"

type Act = "confirm" | "refund" | "resolve"

/** What may be done with an order as it stands. */
export function actsFor({ order, refundable_amount }: AdminOrder): Act[] {
  if (["pending", "expired", "failed"].includes(order.status)) return ["confirm"]
  if (order.status === "review") return refundable_amount > 0 ? ["resolve", "refund"] : ["resolve"]
  return refundable_amount > 0 ? ["refund"] : []
}

function Facts({ line, labels }: { line: AdminOrder; labels: Map<string, string> }) {
  const { t } = useTranslation("orders")
  const { order } = line
  const facts: [string, React.ReactNode][] = [
    [t("account"), line.account_name],
    [t("buyer"), line.buyer ?? t("erased")],
    [t("method"), labels.get(order.method) ?? order.method],
    [t("group"), line.group],
    [t("placed"), <When key="placed" at={order.created_at} as="time" />],
    [t("expires"), <When key="expires" at={order.expires_at} as="time" />],
  ]
  if (order.paid_at) facts.push([t("paidAt"), <When key="paid" at={order.paid_at} as="time" />])
  if (order.package) facts.push([t("package"), order.package])
  if (order.reference)
    facts.push([
      t("reference"),
      <span key="reference" className="mono">
        {order.reference}
      </span>,
    ])
  if (order.trade_number)
    facts.push([
      t("trade"),
      <span key="trade" className="mono wrap-anywhere">
        {order.trade_number}
      </span>,
    ])
  return (
    <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-6 gap-y-1.5 text-13">
      {facts.map(([name, value]) => (
        <div key={name} className="contents">
          <dt className="text-ink-3">{name}</dt>
          <dd className="wrap-anywhere">{value}</dd>
        </div>
      ))}
    </dl>
  )
}

function Amounts({ line }: { line: AdminOrder }) {
  const { t } = useTranslation("orders")
  const { sign } = useLedger()
  const { order } = line
  const money = (amount: number, currency = order.currency) => moneyText(amount, currency, order.exponent)
  return (
    <table className="receipt">
      <thead>
        <tr>
          <th scope="col">{t("amounts")}</th>
          <td>{order.currency}</td>
          <td>{sign}</td>
        </tr>
      </thead>
      <tbody>
        <tr className="line">
          <th scope="row">{t("ordered")}</th>
          <td>{money(order.amount)}</td>
          <td>
            <Amount quota={order.quota} />
          </td>
        </tr>
        {order.bonus_quota > 0 && (
          <tr className="line">
            <th scope="row">{t("bonus")}</th>
            <td />
            <td>
              <Amount quota={order.bonus_quota} />
            </td>
          </tr>
        )}
        {order.fee > 0 && (
          <tr className="line">
            <th scope="row">{t("fee")}</th>
            <td>{money(order.fee)}</td>
            <td />
          </tr>
        )}
        <tr className="sum gap">
          <th scope="row">{t("total")}</th>
          <td>{money(order.total)}</td>
          <td>
            <Amount quota={order.quota + order.bonus_quota} />
          </td>
        </tr>
        {order.paid_amount !== null && (
          <tr className="line">
            <th scope="row">{t("paidIs")}</th>
            <td>{money(order.paid_amount, order.paid_currency ?? order.currency)}</td>
            <td>{order.credited_quota > 0 && <Amount quota={order.credited_quota} />}</td>
          </tr>
        )}
        {(order.refunded_amount > 0 || order.taken_quota > 0) && (
          <tr className="line">
            <th scope="row">{t("givenBack")}</th>
            <td>{money(-order.refunded_amount)}</td>
            <td>
              <Amount quota={-order.taken_quota} />
            </td>
          </tr>
        )}
        {order.credited_quota > 0 && (
          <tr className="total">
            <th scope="row">{t("kept")}</th>
            <td>{money((order.paid_amount ?? 0) - order.refunded_amount)}</td>
            <td>
              <Amount quota={order.credited_quota - order.taken_quota} />
            </td>
          </tr>
        )}
      </tbody>
    </table>
  )
}

export const orderKey = (orderId: string) => ["admin", "order", orderId]

/** One order in full: what was promised, what came, what was said, and what can be done. */
export function OrderDetail({ orderId, labels }: { orderId: string; labels: Map<string, string> }) {
  const { t } = useTranslation("orders")
  const queries = useQueryClient()
  const [act, setAct] = useState<Act | null>(null)
  const [isOpen, setOpen] = useState(false)
  const { data, error, refetch } = useQuery({
    queryKey: orderKey(orderId),
    queryFn: ({ signal }) =>
      body(api().GET("/api/v1/admin/orders/{order_id}", { params: { path: { order_id: orderId } }, signal })),
  })
  if (error && !data) return <Failed error={error} onRetry={() => void refetch()} />
  if (!data)
    return (
      <div className="grid gap-4 p-6" aria-busy="true">
        <span className="bone" />
      </div>
    )
  const { line } = data
  const done = async (detail: AdminOrderDetail) => {
    queries.setQueryData(orderKey(orderId), detail)
    await Promise.all([queries.invalidateQueries({ queryKey: ["admin", "orders"] }), quotaMoved(queries)])
  }
  const shared = { line, isOpen, onClose: () => setOpen(false), onDone: done }
  return (
    <div className="grid min-h-0 content-start gap-6 overflow-y-auto p-6">
      <div className="flex flex-wrap items-center justify-between gap-3">
        <div>
          <OrderState line={line} />
        </div>
        <span className="flex items-center gap-1 text-12 text-ink-3">
          <span className="mono wrap-anywhere">{line.order.id}</span>
          <CopyButton look="ghost" text={line.order.id} aria-label={t("copyId")} />
        </span>
      </div>
      {line.order.status === "review" && <Note tone="warn">{t("reviewText")}</Note>}
      {line.disputes.some((one) => one.state === "open") && <Note tone="bad">{t("disputeText")}</Note>}
      <Amounts line={line} />
      <Facts line={line} labels={labels} />
      {line.disputes.length > 0 && (
        <Block title={t("disputes")}>
          <Disputes line={line} />
        </Block>
      )}
      <div className="flex flex-wrap gap-2">
        {actsFor(line).map((one, index) => (
          <Button
            key={one}
            look={index === 0 && one !== "refund" ? "primary" : "plain"}
            onClick={() => {
              setAct(one)
              setOpen(true)
            }}
          >
            {t(`act.${one}`)}
          </Button>
        ))}
      </div>
      <Block title={t("story")}>
        <Story detail={data} />
      </Block>
      {act === "confirm" && <ConfirmDialog {...shared} />}
      {act === "refund" && <RefundDialog {...shared} />}
      {act === "resolve" && <ResolveDialog {...shared} />}
    </div>
  )
}
