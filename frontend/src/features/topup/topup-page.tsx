import { queryOptions, useQuery, useSuspenseQuery } from "@tanstack/react-query"
import { CreditCard, Mail } from "lucide-react"
import { useId } from "react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { walletQuery } from "../../api/queries"
import { useLedger } from "../../components/amount"
import { Note } from "../../components/note"
import { Block, PageHead } from "../../components/page"
import { Failed } from "../../components/problem"
import { useSiteLinks } from "../../components/site-links"
import { useNow } from "../../components/when"
import { paddedAmount, sharedDecimals } from "../../format/quota"
import { shortDate } from "../../format/time"
import { History } from "./history"
import { Redeem } from "./redeem"
import "./topup.css"

const topupQuery = queryOptions({
  queryKey: ["topup"],
  queryFn: ({ signal }) => body(api().GET("/api/v1/topup", { signal })),
  staleTime: 60_000,
})

function Payment() {
  const { t } = useTranslation("topup")
  const { data, error, refetch } = useQuery(topupQuery)
  const contact = useSiteLinks().find(({ name }) => ["contact", "support"].includes(name.toLowerCase()))
  if (error && !data) return <Failed error={error} onRetry={() => void refetch()} />
  if (!data) return <div className="none min-h-32" aria-busy="true" />
  if (data.methods.length > 0) return <Note>{t("pay.some")}</Note>
  return (
    <div className="none">
      <CreditCard className="i" aria-hidden="true" />
      <div>
        <h3>{t("pay.none")}</h3>
        <p>{data.redemption_enabled ? t("pay.noneText") : t("pay.noneTextOff")}</p>
        {contact && (
          <a className="btn mt-3" href={contact.href}>
            <Mail className="i" aria-hidden="true" />
            {t("pay.ask")}
          </a>
        )}
      </div>
    </div>
  )
}

/** The balance as a slip: what is there, what calls in flight hold, what may be spent. */
function BalanceSlip() {
  const { t, i18n } = useTranslation("topup")
  const id = useId()
  const now = useNow()
  const { unit, sign } = useLedger()
  const { data: wallet } = useSuspenseQuery(walletQuery)
  const decimals = sharedDecimals([wallet.balance, wallet.held, wallet.available], unit)
  return (
    <aside className="card slip" aria-labelledby={id}>
      <h2 id={id}>{t("slip.title")}</h2>
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
        </tbody>
      </table>
    </aside>
  )
}

export default function TopUpPage() {
  const { t } = useTranslation("topup")
  const { data } = useQuery(topupQuery)
  return (
    <>
      <PageHead title={t("title")} text={t("text")} />
      <div className="pay">
        <div className="grid gap-8">
          <Redeem isOn={data?.redemption_enabled !== false} />
          <Block title={t("pay.title")}>
            <Payment />
          </Block>
        </div>
        <BalanceSlip />
      </div>
      <History />
    </>
  )
}
