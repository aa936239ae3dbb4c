import { useQuery, useSuspenseQuery } from "@tanstack/react-query"
import { Link } from "@tanstack/react-router"
import type { ReactNode } from "react"
import { useTranslation } from "react-i18next"
import { meQuery, statusQuery } from "../api/queries"
import { isSignedIn } from "../api/session"
import { ButtonLink } from "../components/button"
import { Tag } from "../components/state"
import { LanguageToggle, ThemeToggle } from "../components/theme"
import { Mark } from "./mark"

/** The light frame of the pages that need no sign-in. */
export function PublicFrame({ children }: { children: ReactNode }) {
  const { t } = useTranslation()
  const { data: status } = useSuspenseQuery(statusQuery)
  const me = useQuery({ ...meQuery, enabled: isSignedIn() })
  return (
    <div className="has-pub">
      <a className="skip" href="#content">
        {t("skip")}
      </a>
      <header className="pub">
        <div className="pub-in">
          <Link to="/" className="brand">
            <Mark />
            <span className="truncate" title={status.name}>
              {status.name}
            </span>
          </Link>
          {status.mode === "demo" && (
            <span title={t("demoText")}>
              <Tag tone="warn">{t("demo")}</Tag>
            </span>
          )}
          <nav className="max-md:hidden" aria-label={t("nav.site")}>
            <Link to="/pricing" activeProps={{ "aria-current": "page" }}>
              {t("nav.pricing")}
            </Link>
          </nav>
          <div className="ml-auto flex items-center gap-1 md:gap-2">
            <LanguageToggle />
            <ThemeToggle />
            {me.data ? (
              <ButtonLink size="sm" to="/console">
                {t("nav.console")}
              </ButtonLink>
            ) : (
              <>
                <ButtonLink look="ghost" size="sm" to="/sign-in">
                  {t("nav.signIn")}
                </ButtonLink>
                {status.sign_up !== "closed" && (
                  <ButtonLink size="sm" className="max-md:hidden" to="/register">
                    {t("nav.register")}
                  </ButtonLink>
                )}
              </>
            )}
          </div>
        </div>
      </header>
      <main id="content">{children}</main>
    </div>
  )
}
