import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query"
import { getRouteApi } from "@tanstack/react-router"
import { ArrowLeft, ReceiptText, RotateCw } from "lucide-react"
import { useEffect, useRef, useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { quotaMoved } from "../../api/queries"
import type { Order } from "../../api/types"
import { useLedger } from "../../components/amount"
import { Button, ButtonLink } from "../../components/button"
import { Confirm } from "../../components/confirm"
import { Note } from "../../components/note"
import { Block, PageHead } from "../../components/page"
import { Failed, useProblemText } from "../../components/problem"
import { When } from "../../components/when"
import { moneyText } from "../../format/minor"
import { exactAmount } from "../../format/quota"
import { NextToDo } from "./hand-off"
import { hasReceipt, isQuiet, situationOf } from "./order-state"
import { labelOf, OrderState } from "./orders"
import { orderQuery, topupQuery } from "./queries"
import "./topup.css"

const route = getRouteApi("/console/topup/orders/$orderId")

/** Whether this page has been waiting for longer than processors take. */
function useQuiet(): boolean {
  const [opened] = useState(() => Date.now())
  const [now, setNow] = useState(opened)
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 5_000)
    return () => clearInterval(timer)
  }, [])
  return isQuiet(opened, now)
}

/** Tells the balance and the lists when the order becomes something else while somebody looks. */
function useMoved(order: Order | undefined): void {
  const queries = useQueryClient()
  const before = useRef<string | null>(null)
  useEffect(() => {
    if (!order) return
    const state = `${order.status} ${order.credited_quota} ${order.taken_quota}`
    if (before.current !== null && before.current !== state) {
      void quotaMoved(queries)
      void queries.invalidateQueries({ queryKey: ["orders"], exact: true })
    }
    before.current = state
  }, [order, queries])
}

function Waiting({ order, method }: { order: Order; method: string }) {
  const { t } = useTranslation("topup")
  const queries = useQueryClient()
  const textOf = useProblemText()
  const hasBeenQuiet = useQuiet()
  const [isAsking, setAsking] = useState(false)
  const params = { path: { order_id: order.id } }
  const keep = (changed: Order) => queries.setQueryData(orderQuery(order.id).queryKey, changed)
  const start = useMutation({
    mutationFn: () => body(api().POST("/api/v1/topup/orders/{order_id}/start", { params })),
    onSuccess: keep,
  })
  const isByHand = order.next?.type === "instructions"
  return (
    <Block title={t("order.waiting")}>
      <div className="grid justify-items-start gap-5">
        <p className="soft" role="status">
          {isByHand ? t("order.byHand") : t("order.waitingText", { method })}
        </p>
        {order.next ? (
          <NextToDo next={order.next} method={method} />
        ) : (
          <>
            <Note tone="warn">{t("order.notStarted", { method })}</Note>
            <Button look="primary" isBusy={start.isPending} onClick={() => start.mutate()}>
              <RotateCw className="i" aria-hidden="true" />
              {t("order.startAgain")}
            </Button>
            {start.error && <Note tone="bad">{textOf(start.error)}</Note>}
          </>
        )}
        {hasBeenQuiet && !isByHand && <Note>{t("order.quiet", { method })}</Note>}
        <Button look="ghost" size="sm" onClick={() => setAsking(true)}>
          {t("order.cancel")}
        </Button>
      </div>
      <Confirm
        isOpen={isAsking}
        onClose={() => setAsking(false)}
        title={t("order.cancelTitle")}
        text={t("order.cancelText")}
        action={t("order.cancel")}
        onConfirm={async () => {
          keep(await body(api().POST("/api/v1/topup/orders/{order_id}/cancel", { params })))
          void queries.invalidateQueries({ queryKey: ["orders"], exact: true })
        }}
      />
    </Block>
  )
}

function Settled({ order, method }: { order: Order; method: string }) {
  const { t } = useTranslation("topup")
  const { unit, sign } = useLedger()
  const situation = situationOf(order)
  if (situation === "waiting") return null
  const isByHand = situation === "expired" && order.next !== null
  const credited = `${sign}${exactAmount(order.credited_quota - order.taken_quota, unit)}`
  const paid = order.paid_amount ?? order.total
  const facts = {
    method,
    amount: credited,
    taken: `${sign}${exactAmount(order.taken_quota, unit)}`,
    refunded: moneyText(order.refunded_amount, order.currency, order.exponent),
    paid: `${moneyText(paid, order.currency, order.exponent)}${order.paid_currency && order.paid_currency !== order.currency ? ` (${order.paid_currency})` : ""}`,
    total: moneyText(order.total, order.currency, order.exponent),
  }
  return (
    <Block title={t(`order.is.${situation}`)}>
      <div className="grid justify-items-start gap-5">
        {situation === "credited" ? (
          <Note tone="good">{t("order.text.credited", facts)}</Note>
        ) : (
          <p className="soft" role="status">
            {t(isByHand ? "order.text.expiredByHand" : `order.text.${situation}`, facts)}
          </p>
        )}
        {isByHand && order.next && <NextToDo next={order.next} method={method} />}
        <div className="flex flex-wrap gap-2">
          {hasReceipt(order) && (
            <ButtonLink to="/console/topup/orders/$orderId/receipt" params={{ orderId: order.id }}>
              <ReceiptText className="i" aria-hidden="true" />
              {t("orders.receipt")}
            </ButtonLink>
          )}
          <ButtonLink to="/console/topup" look={hasReceipt(order) ? "ghost" : "plain"}>
            {hasReceipt(order) ? t("order.more") : t("order.again")}
          </ButtonLink>
        </div>
      </div>
    </Block>
  )
}

function Facts({ order, method }: { order: Order; method: string }) {
  const { t } = useTranslation("topup")
  const { unit, sign } = useLedger()
  const money = (amount: number) => moneyText(amount, order.currency, order.exponent)
  return (
    <aside className="card slip" aria-label={t("order.facts")}>
      <h2>{t("order.facts")}</h2>
      <dl className="kv">
        <dt>{t("orders.state")}</dt>
        <dd>
          <OrderState order={order} />
        </dd>
        <dt>{t("orders.method")}</dt>
        <dd>{method}</dd>
        <dt>{t("quote.amount")}</dt>
        <dd className="fig">{money(order.amount)}</dd>
        <dt>{t("quote.fee")}</dt>
        <dd className="fig">{order.fee > 0 ? money(order.fee) : "–"}</dd>
        <dt>{t("quote.total")}</dt>
        <dd className="fig">
          <b>{money(order.total)}</b>
        </dd>
        <dt>{t("quote.quota")}</dt>
        <dd className="fig">{`${sign}${exactAmount(order.quota, unit)}`}</dd>
        <dt>{t("quote.bonus")}</dt>
        <dd className="fig">
          {order.bonus_quota > 0 ? `${sign}${exactAmount(order.bonus_quota, unit)}` : "–"}
        </dd>
        <dt>{t("orders.when")}</dt>
        <dd>
          <When at={order.created_at} as="time" />
        </dd>
        {order.status === "pending" && (
          <>
            <dt>{t("order.until")}</dt>
            <dd>
              <When at={order.expires_at} as="time" />
            </dd>
          </>
        )}
        <dt>{t("order.id")}</dt>
        <dd className="mono" title={order.id}>
          {order.id}
        </dd>
      </dl>
    </aside>
  )
}

/** Where one comes back to after paying. It waits and shows; what is credited is decided elsewhere. */
export default function OrderPage() {
  const { t } = useTranslation("topup")
  const { orderId } = route.useParams()
  const { data: order, error, refetch } = useQuery(orderQuery(orderId))
  const { data: offers } = useQuery(topupQuery)
  useMoved(order)
  const method = order ? labelOf(offers?.methods, order.method) : ""
  return (
    <>
      <PageHead
        title={
          order
            ? t("order.title", { amount: moneyText(order.total, order.currency, order.exponent) })
            : t("order.head")
        }
      >
        <ButtonLink look="ghost" size="sm" to="/console/topup">
          <ArrowLeft className="i i-sm" aria-hidden="true" />
          {t("title")}
        </ButtonLink>
      </PageHead>
      {error && !order ? (
        <Failed error={error} onRetry={() => void refetch()} />
      ) : !order ? (
        <div className="none min-h-48" aria-busy="true" />
      ) : (
        <div className="pay">
          {order.status === "pending" ? (
            <Waiting order={order} method={method} />
          ) : (
            <Settled order={order} method={method} />
          )}
          <Facts order={order} method={method} />
        </div>
      )}
    </>
  )
}
