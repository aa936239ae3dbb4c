import { useSuspenseQuery } from "@tanstack/react-query"
import { Link, useMatches } from "@tanstack/react-router"
import { Menu as MenuIcon, Search } from "lucide-react"
import { lazy, type ReactNode, Suspense, useEffect, useState } from "react"
import { useTranslation } from "react-i18next"
import { meQuery, statusQuery, walletQuery } from "../api/queries"
import { apiOrigin } from "../api/runtime"
import { CountingBalance, useLedger } from "../components/amount"
import { Button } from "../components/button"
import { useSiteLinks } from "../components/site-links"
import { Tag } from "../components/state"
import { LanguageMenu, ThemeMenu } from "../components/theme-menus"
import { countText } from "../format/quota"
import { AccountMenu } from "./account-menu"
import { ProofWanted } from "./proof-wanted"
import { accountName, Sidebar } from "./sidebar"

const CommandMenu = lazy(() => import("./command-menu"))
/** A wide screen never needs it: its code is fetched when it is first opened. */
const Drawer = lazy(() => import("../components/dialog").then((dialog) => ({ default: dialog.Drawer })))

/** Opens the command menu with Ctrl-K or ⌘K; its code is fetched the first time. */
function useCommandMenu(): [isOpen: boolean, wasOpened: boolean, set: (isOpen: boolean) => void] {
  const [isOpen, setOpen] = useState(false)
  const [wasOpened, setOpened] = useState(false)
  const set = (open: boolean) => {
    setOpen(open)
    if (open) setOpened(true)
  }
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey)) return
      event.preventDefault()
      setOpen((open) => !open)
      setOpened(true)
    }
    window.addEventListener("keydown", press)
    return () => window.removeEventListener("keydown", press)
  }, [])
  return [isOpen, wasOpened, set]
}

function Breadcrumb() {
  const { t } = useTranslation()
  const { data: me } = useSuspenseQuery(meQuery)
  const title = useMatches({ select: (matches) => matches.at(-1)?.staticData.title })
  return (
    <nav className="crumb" aria-label={t("breadcrumb")}>
      <span className="root truncate max-w-48">{accountName(me)}</span>
      {title && (
        <>
          <span className="sep" aria-hidden="true">
            /
          </span>
          <b aria-current="page">{t(title)}</b>
        </>
      )}
    </nav>
  )
}

/** The frame of the console: places at the left, the balance always in sight, one column of content. */
export default function ConsoleFrame({ children }: { children: ReactNode }) {
  const { t } = useTranslation()
  const [isDrawerOpen, setDrawerOpen] = useState(false)
  const [wasDrawerOpened, setDrawerOpened] = useState(false)
  const openDrawer = () => {
    setDrawerOpened(true)
    setDrawerOpen(true)
  }
  const [isCommandOpen, wasCommandOpened, setCommandOpen] = useCommandMenu()
  const { data: wallet } = useSuspenseQuery(walletQuery)
  const { data: status } = useSuspenseQuery(statusQuery)
  const { unit, sign } = useLedger()
  const links = useSiteLinks()
  return (
    <div className="console">
      <a className="skip" href="#content">
        {t("skip")}
      </a>
      <aside className="side" aria-label={t("nav.side")}>
        <Sidebar />
      </aside>
      {wasDrawerOpened && (
        <Suspense fallback={null}>
          <Drawer
            isOpen={isDrawerOpen}
            onClose={() => setDrawerOpen(false)}
            title={t("nav.console")}
            side="left"
          >
            <Sidebar onGo={() => setDrawerOpen(false)} />
          </Drawer>
        </Suspense>
      )}
      <div className="min-w-0">
        <header className="topbar">
          <Button look="ghost" isIcon className="burger" aria-label={t("nav.open")} onClick={openDrawer}>
            <MenuIcon className="i" aria-hidden="true" />
          </Button>
          <Breadcrumb />
          {status.mode === "demo" && (
            <span className="ml-3 max-md:hidden" title={t("demoText")}>
              <Tag tone="warn">{t("demo")}</Tag>
            </span>
          )}
          <Link className="mob-bal" to="/console/topup" title={t("nav.topup")}>
            <span className="sr-only">{t("balance")}</span>
            <CountingBalance quota={wallet.balance} withSign />
          </Link>
          <button type="button" className="cmdk" onClick={() => setCommandOpen(true)}>
            <Search className="i i-sm" aria-hidden="true" />
            {t("command.open")}
            <kbd>Ctrl K</kbd>
          </button>
          <span className="max-md:hidden">
            <LanguageMenu />
          </span>
          <ThemeMenu />
          <AccountMenu />
        </header>
        <main id="content" className="main">
          {children}
          <footer className="foot">
            <span>
              {status.name} {status.version}
            </span>
            <a href={`${apiOrigin()}/api/docs`}>{t("apiReference")}</a>
            {links.map(({ name, href }) => (
              <a key={name} href={href}>
                {name}
              </a>
            ))}
            <span className="ml-auto">{t("footUnit", { sign, quota: countText(unit) })}</span>
          </footer>
        </main>
      </div>
      <ProofWanted />
      {wasCommandOpened && (
        <Suspense>
          <CommandMenu isOpen={isCommandOpen} onClose={() => setCommandOpen(false)} />
        </Suspense>
      )}
    </div>
  )
}
