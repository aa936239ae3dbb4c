import { type ErrorComponentProps, useRouter } from "@tanstack/react-router"
import { useTranslation } from "react-i18next"
import { isSignedIn } from "../api/session"
import { ButtonLink } from "../components/button"
import { useTitle } from "../components/page"
import { Failed } from "../components/problem"

/** A page that could not be drawn: what happened, and a way to try again. */
export function RouteFailed({ error, reset }: ErrorComponentProps) {
  const router = useRouter()
  const { t } = useTranslation()
  return (
    <div className="main">
      <Failed
        title={t("failed.page")}
        error={error}
        onRetry={() => {
          reset()
          void router.invalidate()
        }}
      />
    </div>
  )
}

export function NotFound() {
  const { t } = useTranslation()
  useTitle(t("notFound.title"))
  return (
    <div className="main">
      <div className="state-box">
        <h1>{t("notFound.title")}</h1>
        <p>{t("notFound.text")}</p>
        <ButtonLink className="mt-2" to={isSignedIn() ? "/console" : "/"}>
          {t(isSignedIn() ? "notFound.dashboard" : "notFound.home")}
        </ButtonLink>
      </div>
    </div>
  )
}

/** The same where no frame is around it. */
export function RootFailed(props: ErrorComponentProps) {
  return (
    <main>
      <RouteFailed {...props} />
    </main>
  )
}
