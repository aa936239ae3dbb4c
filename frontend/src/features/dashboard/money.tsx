import { useSuspenseQuery } from "@tanstack/react-query"
import { Plus, Ticket } from "lucide-react"
import { useTranslation } from "react-i18next"
import { meQuery } from "../../api/queries"
import type { Wallet } from "../../api/types"
import { Amount, CountingBalance } from "../../components/amount"
import { ButtonLink } from "../../components/button"
import { countText } from "../../format/quota"

/** What one has: the settled balance, and what of it calls in flight have set aside. */
export function Money({ wallet }: { wallet: Wallet }) {
  const { t } = useTranslation(["dashboard", "common"])
  const { data: me } = useSuspenseQuery(meQuery)
  return (
    <section className="money" aria-label={t("common:balance")}>
      <div className="text-12 text-ink-3">{t("common:balance")}</div>
      <div className="hero-fig">
        <CountingBalance quota={wallet.balance} withSign />
      </div>
      <div className="mt-0.5 text-12 text-ink-3 fig">
        {t("common:quota", { quota: countText(wallet.balance) })}
      </div>
      <dl className="mini">
        <div title={t("money.heldHelp")}>
          <dt>{t("money.held")}</dt>
          <dd>
            {wallet.held > 0 ? <Amount quota={-wallet.held} as="balance" /> : <span className="q">–</span>}
          </dd>
        </div>
        <div className="double">
          <dt>{t("money.available")}</dt>
          <dd>
            <b>
              <Amount quota={wallet.available} as="balance" />
            </b>
          </dd>
        </div>
        <div className="after">
          <dt>{t("money.used")}</dt>
          <dd>
            {BigInt(wallet.used_total) > 0n ? (
              <Amount quota={wallet.used_total} as="balance" />
            ) : (
              <span className="q">–</span>
            )}
          </dd>
        </div>
      </dl>
      {me.account.permissions.includes("topup.read") && (
        <div className="flex gap-2">
          <ButtonLink look="primary" to="/console/topup">
            <Plus className="i" aria-hidden="true" />
            {t("common:nav.topup")}
          </ButtonLink>
          <ButtonLink to="/console/topup" hash="redeem">
            <Ticket className="i" aria-hidden="true" />
            {t("common:command.redeem")}
          </ButtonLink>
        </div>
      )}
    </section>
  )
}
