import { useQuery, useSuspenseQuery } from "@tanstack/react-query"
import { getRouteApi } from "@tanstack/react-router"
import { ArrowLeft, Printer } from "lucide-react"
import { useTranslation } from "react-i18next"
import { meQuery, statusQuery } from "../../api/queries"
import type { Order } from "../../api/types"
import { useLedger } from "../../components/amount"
import { Button, ButtonLink } from "../../components/button"
import { PageHead } from "../../components/page"
import { Failed } from "../../components/problem"
import { moneyText } from "../../format/minor"
import { countText, decimalsOf, paddedAmount } from "../../format/quota"
import { exactTime } from "../../format/time"
import { hasReceipt } from "./order-state"
import { labelOf, OrderState } from "./orders"
import { orderQuery, topupQuery } from "./queries"
import "./topup.css"

const route = getRouteApi("/console/topup/orders/$orderId/receipt")

function Paid({ order }: { order: Order }) {
  const { t } = useTranslation("topup")
  const money = (amount: number) => moneyText(amount, order.currency, order.exponent)
  return (
    <table className="receipt">
      <thead>
        <tr>
          <th scope="col">{t("receipt.paid")}</th>
          <td>{order.currency}</td>
        </tr>
      </thead>
      <tbody>
        <tr className="line">
          <th scope="row">{t("quote.amount")}</th>
          <td>{money(order.amount)}</td>
        </tr>
        <tr className="line">
          <th scope="row">{t("quote.fee")}</th>
          <td>{money(order.fee)}</td>
        </tr>
        <tr className="total">
          <th scope="row">{t("receipt.total")}</th>
          <td>{money(order.paid_amount ?? order.total)}</td>
        </tr>
        {order.refunded_amount > 0 && (
          <tr className="after">
            <th scope="row">{t("receipt.refunded")}</th>
            <td>{money(-order.refunded_amount)}</td>
          </tr>
        )}
      </tbody>
    </table>
  )
}

function Credited({ order }: { order: Order }) {
  const { t } = useTranslation("topup")
  const { unit, sign } = useLedger()
  const bonus = order.bonus_quota
  const decimals = Math.max(
    2,
    ...[order.credited_quota, order.quota, bonus, order.taken_quota].map((one) => decimalsOf(one, unit)),
  )
  const shown = (amount: number) => paddedAmount(amount, unit, decimals)
  return (
    <table className="receipt">
      <thead>
        <tr>
          <th scope="col">{t("receipt.quota")}</th>
          <td>{sign}</td>
        </tr>
      </thead>
      <tbody>
        <tr className="line">
          <th scope="row">{t("quote.quota")}</th>
          <td>{shown(order.credited_quota - bonus)}</td>
        </tr>
        <tr className="line">
          <th scope="row">{t("quote.bonus")}</th>
          <td>{shown(bonus)}</td>
        </tr>
        <tr className="total">
          <th scope="row">{t("quote.credited")}</th>
          <td>{shown(order.credited_quota)}</td>
        </tr>
        <tr className="after">
          <th scope="row">{t("receipt.inQuota")}</th>
          <td>{countText(order.credited_quota)}</td>
        </tr>
        {order.taken_quota > 0 && (
          <tr className="after tight">
            <th scope="row">{t("receipt.taken")}</th>
            <td>{shown(-order.taken_quota)}</td>
          </tr>
        )}
      </tbody>
    </table>
  )
}

function Sheet({ order, method, seller }: { order: Order; method: string; seller: string }) {
  const { t, i18n } = useTranslation("topup")
  const { data: me } = useSuspenseQuery(meQuery)
  const { data: status } = useSuspenseQuery(statusQuery)
  const account = me.accounts.find(({ id }) => id === me.account.id)
  return (
    <article className="sheet">
      <header>
        <div>
          <b>{status.name}</b>
          {seller && <p className="whitespace-pre-line">{seller}</p>}
        </div>
        <div>
          <b>{t("receipt.title")}</b>
          <p className="mono">{order.id}</p>
        </div>
      </header>
      <dl className="kv">
        <dt>{t("receipt.account")}</dt>
        <dd>{account?.name || me.user.email}</dd>
        <dt>{t("receipt.person")}</dt>
        <dd>{me.user.email}</dd>
        <dt>{t("receipt.paidAt")}</dt>
        <dd>{exactTime(order.paid_at ?? order.created_at, i18n.language)}</dd>
        <dt>{t("orders.method")}</dt>
        <dd>{method}</dd>
        {(order.trade_number ?? order.reference) && (
          <>
            <dt>{t("receipt.reference")}</dt>
            <dd className="mono">{order.trade_number ?? order.reference}</dd>
          </>
        )}
        <dt>{t("orders.state")}</dt>
        <dd>
          <OrderState order={order} />
        </dd>
      </dl>
      <Paid order={order} />
      <Credited order={order} />
      <footer>{t("receipt.foot", { name: status.name })}</footer>
    </article>
  )
}

/** One order on one sheet of paper. */
export default function ReceiptPage() {
  const { t } = useTranslation("topup")
  const { orderId } = route.useParams()
  const { data: order, error, refetch } = useQuery(orderQuery(orderId))
  const { data: offers } = useQuery(topupQuery)
  return (
    <>
      <PageHead title={t("receipt.title")}>
        <ButtonLink look="ghost" size="sm" to="/console/topup/orders/$orderId" params={{ orderId }}>
          <ArrowLeft className="i i-sm" aria-hidden="true" />
          {t("receipt.back")}
        </ButtonLink>
        {order && hasReceipt(order) && (
          <Button look="primary" size="sm" onClick={() => window.print()}>
            <Printer className="i i-sm" aria-hidden="true" />
            {t("receipt.print")}
          </Button>
        )}
      </PageHead>
      {error && !order ? (
        <Failed error={error} onRetry={() => void refetch()} />
      ) : !order || !offers ? (
        <div className="none min-h-48" aria-busy="true" />
      ) : hasReceipt(order) ? (
        <Sheet order={order} method={labelOf(offers.methods, order.method)} seller={offers.seller} />
      ) : (
        <p className="soft">{t("receipt.none")}</p>
      )}
    </>
  )
}
