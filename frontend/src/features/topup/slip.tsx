import { useSuspenseQuery } from "@tanstack/react-query"
import { type ReactNode, useId } from "react"
import { useTranslation } from "react-i18next"
import { walletQuery } from "../../api/queries"
import type { Offer, Quote } from "../../api/types"
import { useLedger } from "../../components/amount"
import { Button } from "../../components/button"
import { Note } from "../../components/note"
import { useProblemText } from "../../components/problem"
import { useNow } from "../../components/when"
import { moneyText } from "../../format/minor"
import { countText, decimalsOf, exactAmount, paddedAmount, sharedDecimals } from "../../format/quota"
import { shortDate } from "../../format/time"
import { bonusPercent } from "./choice"

function Slip({ title, children }: { title: string; children: ReactNode }) {
  const id = useId()
  return (
    <aside className="card slip" aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {children}
    </aside>
  )
}

/** What is owed stands with both: beside the balance, and where the next top-up repays it. */
function DebtNote({ debt }: { debt: number }) {
  const { t } = useTranslation("topup")
  const { unit, sign } = useLedger()
  return <Note tone="warn">{t("slip.debtText", { amount: `${sign}${exactAmount(debt, unit)}` })}</Note>
}

/** The balance as a slip: what is there, what calls in flight hold, what may be spent. */
export function BalanceSlip() {
  const { t, i18n } = useTranslation("topup")
  const now = useNow()
  const { unit, sign } = useLedger()
  const { data: wallet } = useSuspenseQuery(walletQuery)
  const decimals = sharedDecimals([wallet.balance, wallet.held, wallet.available, wallet.debt], unit)
  return (
    <Slip title={t("slip.title")}>
      <table className="receipt">
        <thead>
          <tr>
            <th scope="col">{shortDate(new Date(now).toISOString(), now, i18n.language)}</th>
            <td>{sign}</td>
          </tr>
        </thead>
        <tbody>
          <tr className="line">
            <th scope="row">{t("slip.balance")}</th>
            <td>{paddedAmount(wallet.balance, unit, decimals)}</td>
          </tr>
          <tr className="line">
            <th scope="row">{t("slip.held")}</th>
            <td>{wallet.held === 0 ? "–" : paddedAmount(-wallet.held, unit, decimals)}</td>
          </tr>
          <tr className="total">
            <th scope="row">{t("slip.available")}</th>
            <td>{paddedAmount(wallet.available, unit, decimals)}</td>
          </tr>
          {wallet.debt > 0 && (
            <tr className="after">
              <th scope="row">{t("slip.debt")}</th>
              <td>{paddedAmount(-wallet.debt, unit, decimals)}</td>
            </tr>
          )}
        </tbody>
      </table>
      {wallet.debt > 0 && <DebtNote debt={wallet.debt} />}
    </Slip>
  )
}

/** What is paid and what it brings, to the unit, before anything is ordered; and the one button that orders it. */
export function QuoteSlip({
  method,
  quote,
  isBusy,
  error,
  onPay,
  isPaying,
  payError,
}: {
  method: Offer
  quote: Quote | undefined
  isBusy: boolean
  error: unknown
  onPay: (quote: Quote) => void
  isPaying: boolean
  payError: unknown
}) {
  const { t } = useTranslation("topup")
  const textOf = useProblemText()
  const money = (amount: number) => moneyText(amount, method.currency, method.exponent)
  return (
    <Slip title={t("quote.title")}>
      {error ? (
        <Note tone="bad">{textOf(error)}</Note>
      ) : (
        <div className="grid gap-4" aria-busy={isBusy || undefined}>
          <Brings method={method} quote={quote} />
          <table className="receipt">
            <thead>
              <tr>
                <th scope="col">{t("quote.toPay")}</th>
                <td>{method.currency}</td>
              </tr>
            </thead>
            <tbody>
              <tr className="line">
                <th scope="row">{t("quote.amount")}</th>
                <td>{quote ? money(quote.amount) : "–"}</td>
              </tr>
              <tr className="line">
                <th scope="row">{t("quote.fee")}</th>
                <td>{quote && quote.fee > 0 ? money(quote.fee) : "–"}</td>
              </tr>
              <tr className="total">
                <th scope="row">{t("quote.total")}</th>
                <td>{quote ? money(quote.total) : "–"}</td>
              </tr>
            </tbody>
          </table>
        </div>
      )}
      {payError ? <Note tone="bad">{textOf(payError)}</Note> : null}
      <Button
        look="primary"
        size="lg"
        isWide
        isBusy={isPaying}
        disabled={!quote}
        onClick={() => quote && onPay(quote)}
      >
        {quote ? t("quote.pay", { amount: money(quote.total) }) : t("quote.choose")}
      </Button>
      <p className="help">{t("quote.then", { method: method.label })}</p>
    </Slip>
  )
}

function Brings({ method, quote }: { method: Offer; quote: Quote | undefined }) {
  const { t } = useTranslation("topup")
  const { unit, sign } = useLedger()
  const { data: wallet } = useSuspenseQuery(walletQuery)
  const all = (quote?.quota ?? 0) + (quote?.bonus_quota ?? 0)
  const repaid = quote ? Math.min(wallet.debt, all) : 0
  const decimals = Math.max(
    2,
    ...[quote?.quota ?? 0, quote?.bonus_quota ?? 0, repaid].map((one) => decimalsOf(one, unit)),
  )
  const shown = (amount: number) => (quote ? paddedAmount(amount, unit, decimals) : "–")
  const percent = quote && bonusPercent(quote.quota, quote.bonus_quota)
  return (
    <table className="receipt">
      <thead>
        <tr>
          <th scope="col">{method.label}</th>
          <td>{sign}</td>
        </tr>
      </thead>
      <tbody>
        <tr className="line">
          <th scope="row">{t("quote.quota")}</th>
          <td>{shown(quote?.quota ?? 0)}</td>
        </tr>
        <tr className="line">
          <th scope="row">{percent ? t("quote.bonusOf", { percent }) : t("quote.bonus")}</th>
          <td>{quote && quote.bonus_quota > 0 ? `+${shown(quote.bonus_quota)}` : "–"}</td>
        </tr>
        {repaid > 0 && (
          <tr className="line">
            <th scope="row">{t("quote.repays")}</th>
            <td>{shown(-repaid)}</td>
          </tr>
        )}
        <tr className="total">
          <th scope="row">{t("quote.credited")}</th>
          <td title={quote && t("quote.exact", { quota: countText(all - repaid) })}>{shown(all - repaid)}</td>
        </tr>
      </tbody>
    </table>
  )
}
