import { useSuspenseQuery } from "@tanstack/react-query"
import { Link } from "@tanstack/react-router"
import { useTranslation } from "react-i18next"
import { statusQuery } from "../../api/queries"

/** To a new password, where mail is sent. */
export function ForgotLink() {
  const { t } = useTranslation("sign-in")
  const { data: status } = useSuspenseQuery(statusQuery)
  if (!status.registration.password_reset) return null
  return (
    <Link to="/forgot" className="text-13">
      {t("forgotLink")}
    </Link>
  )
}
