import { useMutation, useQuery, useQueryClient, useSuspenseQuery } from "@tanstack/react-query"
import { useNavigate } from "@tanstack/react-router"
import { type ReactNode, useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { sendOnce } from "../../api/once"
import { asProblem } from "../../api/problem"
import { meQuery } from "../../api/queries"
import type { Quote } from "../../api/types"
import { Note } from "../../components/note"
import { Block, PageHead } from "../../components/page"
import { Failed } from "../../components/problem"
import { type Choice, type Chosen, choiceOf, methodOf, NOTHING } from "./choice"
import { leaveFor } from "./hand-off"
import { History } from "./history"
import { Orders } from "./orders"
import { NothingToPayWith, PayForm } from "./pay-form"
import { topupQuery, useQuote } from "./queries"
import { Redeem } from "./redeem"
import { BalanceSlip, QuoteSlip } from "./slip"
import "./topup.css"

/** Orders once for each choice, however often the button is pressed, and hands off to the processor. */
function useOrder() {
  const queries = useQueryClient()
  const navigate = useNavigate()
  const [send] = useState(sendOnce)
  return useMutation({
    mutationFn: ({ choice, quote: { total, quota, bonus_quota } }: { choice: Choice; quote: Quote }) => {
      const draft = { ...choice, agreed: { total, quota, bonus_quota } }
      return send(draft, (headers) => body(api().POST("/api/v1/topup/orders", { body: draft, headers })))
    },
    onSuccess: async (order) => {
      void queries.invalidateQueries({ queryKey: ["orders"], exact: true })
      if (order.next && leaveFor(order.next)) return
      await navigate({ to: "/console/topup/orders/$orderId", params: { orderId: order.id } })
    },
    onError: (error) => {
      const { code, facts } = asProblem(error)
      void queries.invalidateQueries({ queryKey: ["orders"], exact: true })
      // An order is there of which the processor could not be told; its page tells it again.
      if (code === "payment_processor_unavailable" && typeof facts.order_id === "string")
        void navigate({ to: "/console/topup/orders/$orderId", params: { orderId: facts.order_id } })
      // What is shown is not so any more: look again, and let the buyer press again.
      if (code === "quote_changed") void queries.invalidateQueries({ queryKey: ["topup"] })
    },
  })
}

/** What may be bought, and the slip that says what it costs. */
function useSelection(mayLook: boolean) {
  const { data, error, refetch } = useQuery({ ...topupQuery, enabled: mayLook })
  const [chosen, setChosen] = useState<Chosen>(NOTHING)
  const methods = data?.methods ?? []
  const method = methodOf(methods, chosen)
  const choice = choiceOf(method, chosen)
  const change = (changes: Partial<Chosen>) => setChosen((before) => ({ ...before, ...changes }))
  return { data, error, refetch, chosen, change, methods, method, choice }
}

/** `below` is what other nouns have to say here: the referral panel. */
export default function TopUpPage({ below }: { below?: ReactNode }) {
  const { t } = useTranslation("topup")
  const { data: me } = useSuspenseQuery(meQuery)
  const may = (permission: string) => me.account.permissions.includes(permission)
  const mayLook = may("topup.read")
  const { data, error, refetch, chosen, change, methods, method, choice } = useSelection(mayLook)
  const quote = useQuote(choice)
  const order = useOrder()
  const choose = (changes: Partial<Chosen>) => {
    change(changes)
    if (!order.isPending) order.reset()
  }
  return (
    <>
      <PageHead title={t("title")} text={t("text")} />
      <div className="pay">
        <div className="grid gap-8">
          {!mayLook && <Note>{t("pay.notYours")}</Note>}
          {may("codes.redeem") && <Redeem isOn={data?.redemption_enabled !== false} isMain={!method} />}
          {mayLook && (
            <Block title={t("pay.title")}>
              {error && !data ? (
                <Failed error={error} onRetry={() => void refetch()} />
              ) : !data ? (
                <div className="none min-h-32" aria-busy="true" />
              ) : method ? (
                <PayForm methods={methods} method={method} chosen={chosen} onChange={choose} />
              ) : (
                <NothingToPayWith canRedeem={data.redemption_enabled} />
              )}
            </Block>
          )}
        </div>
        <div className="slips">
          {method && choice && may("topup.write") && (
            <QuoteSlip
              method={method}
              quote={quote.data}
              isBusy={quote.isBusy}
              error={quote.error}
              onPay={(quote) => order.mutate({ choice, quote })}
              isPaying={order.isPending}
              payError={order.error}
            />
          )}
          <BalanceSlip />
        </div>
      </div>
      {may("orders.read") && <Orders methods={data?.methods} />}
      {below}
      {may("transfers.read") && <History />}
    </>
  )
}
