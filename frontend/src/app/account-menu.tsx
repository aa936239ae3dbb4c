import { useSuspenseQuery } from "@tanstack/react-query"
import { Link } from "@tanstack/react-router"
import { LogOut, ReceiptText, Settings, Wallet } from "lucide-react"
import { useTranslation } from "react-i18next"
import { meQuery, walletQuery } from "../api/queries"
import { signOut } from "../api/session"
import { Amount } from "../components/amount"
import { Menu, MenuItem, MenuRule } from "../components/menu"
import { useProblemText } from "../components/problem"
import { say } from "../components/toast"

/** Balance, top up, profile, sign out. */
export function AccountMenu() {
  const { t } = useTranslation()
  const textOf = useProblemText()
  const { data: me } = useSuspenseQuery(meQuery)
  const { data: wallet } = useSuspenseQuery(walletQuery)
  return (
    <Menu
      trigger={
        <button type="button" className="avatar">
          <span aria-hidden="true">{me.user.email.slice(0, 2).toUpperCase()}</span>
          <span className="sr-only">{t("account.menu", { email: me.user.email })}</span>
        </button>
      }
    >
      <div className="mg">
        <div className="text-ink">{me.user.email}</div>
        <div className="mt-1 flex justify-between gap-6">
          {t("balance")} <Amount quota={wallet.balance} as="balance" withSign />
        </div>
      </div>
      <MenuRule />
      {me.account.permissions.includes("topup.read") && (
        <MenuItem icon={<Wallet className="i" aria-hidden="true" />} render={<Link to="/console/topup" />}>
          {t("nav.topup")}
        </MenuItem>
      )}
      <MenuItem icon={<ReceiptText className="i" aria-hidden="true" />} render={<Link to="/console/usage" />}>
        {t("nav.usage")}
      </MenuItem>
      <MenuItem icon={<Settings className="i" aria-hidden="true" />} render={<Link to="/console/settings" />}>
        {t("nav.profile")}
      </MenuItem>
      <MenuRule />
      <MenuItem
        icon={<LogOut className="i" aria-hidden="true" />}
        onPress={() =>
          signOut().catch((error) => say({ tone: "bad", title: t("account.stillIn"), text: textOf(error) }))
        }
      >
        {t("nav.signOut")}
      </MenuItem>
    </Menu>
  )
}
