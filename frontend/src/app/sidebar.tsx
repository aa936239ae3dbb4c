import { useQuery, useSuspenseQuery } from "@tanstack/react-query"
import { Link } from "@tanstack/react-router"
import { ChevronsUpDown } from "lucide-react"
import { useTranslation } from "react-i18next"
import { channelSummaryQuery } from "../api/operator-queries"
import { meQuery, walletQuery } from "../api/queries"
import { chooseAccount } from "../api/session"
import type { Me } from "../api/types"
import { CountingBalance } from "../components/amount"
import { ButtonLink } from "../components/button"
import { Menu, MenuChoice } from "../components/menu"
import { CHANNELS, OPERATOR_PLACES, type Place, placesFor } from "./navigation"

export function accountName(me: Me): string {
  return me.accounts.find((account) => account.id === me.account.id)?.name || me.user.email
}

function AccountSwitcher({ me }: { me: Me }) {
  const { t } = useTranslation()
  const name = accountName(me)
  const face = (
    <>
      <span className="mono-mark" aria-hidden="true">
        {name.slice(0, 1).toUpperCase()}
      </span>
      <span className="word truncate">{name}</span>
    </>
  )
  if (me.accounts.length < 2) return <div className="switcher is-still">{face}</div>
  return (
    <Menu
      align="start"
      trigger={
        <button type="button" className="switcher">
          {face}
          <span className="sr-only">{t("account.switch")}</span>
          <ChevronsUpDown className="i i-sm" aria-hidden="true" />
        </button>
      }
    >
      <MenuChoice
        label={t("account.label")}
        value={me.account.id}
        options={me.accounts.map((account) => ({ value: account.id, label: account.name }))}
        onValue={chooseAccount}
      />
    </Menu>
  )
}

/** How many channels an operator should look at: refused credentials, failing ones, failed tests. */
function ChannelBadge() {
  const { t } = useTranslation()
  const { data } = useQuery(channelSummaryQuery)
  if (!data?.needs_look) return null
  return (
    <span className="badge" title={t("nav.needLook", { count: data.needs_look })}>
      {data.needs_look}
      <span className="sr-only"> {t("nav.needLook", { count: data.needs_look })}</span>
    </span>
  )
}

function Places({ places, onGo }: { places: Place[]; onGo?: () => void }) {
  const { t } = useTranslation()
  return places.map(({ to, label, icon: Icon }) => (
    <Link
      key={to}
      to={to}
      activeOptions={{ exact: to === "/console", includeSearch: false }}
      activeProps={{ "aria-current": "page" }}
      onClick={onGo}
      title={t(label)}
    >
      <Icon className="i" aria-hidden="true" />
      <span className="word">{t(label)}</span>
      {to === CHANNELS && <ChannelBadge />}
    </Link>
  ))
}

/** Who one is, what one has, where one can go. Used in the column at the left and in the drawer of small screens. */
export function Sidebar({ onGo }: { onGo?: () => void }) {
  const { t } = useTranslation()
  const { data: me } = useSuspenseQuery(meQuery)
  const { data: wallet } = useSuspenseQuery(walletQuery)
  return (
    <div className="side-in">
      <AccountSwitcher me={me} />
      <div className="side-bal">
        <span className="k">{t("balance")}</span>
        <span className="v">
          <CountingBalance quota={wallet.balance} withSign />
        </span>
        {me.account.permissions.includes("topup.read") && (
          <ButtonLink size="sm" to="/console/topup" onClick={onGo}>
            {t("nav.topup")}
          </ButtonLink>
        )}
      </div>
      <nav aria-label={t("nav.console")}>
        <Places places={placesFor(me)} onGo={onGo} />
        {me.user.role !== "user" && OPERATOR_PLACES.length > 0 && (
          <>
            <span className="grp">{t("nav.operator")}</span>
            <Places places={OPERATOR_PLACES} onGo={onGo} />
          </>
        )}
      </nav>
    </div>
  )
}
