import { useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import type { User } from "../../api/types"
import { FormDialog, type Open } from "../../components/form-dialog"
import { Secret, ShownOnce } from "../../components/shown-once"
import { dayAndTime } from "../../format/time"

type Made = { link: string; expires_at: string }

/** A link with which somebody chooses a password: made when that is confirmed, and shown this once. */
export function PasswordLink({
  forgetful,
  onClose,
  onGone,
}: {
  forgetful: NonNullable<Open<User>>
  onClose: () => void
  onGone: () => void
}) {
  const { t, i18n } = useTranslation("users")
  const [made, setMade] = useState<Made | null>(null)
  const { id, email } = forgetful.thing
  const make = async () =>
    setMade(
      await body(
        api().POST("/api/v1/admin/users/{user_id}/password-link", { params: { path: { user_id: id } } }),
      ),
    )
  if (made) {
    return (
      <ShownOnce
        title={t("password.link", { email })}
        text={t("password.linkText", { until: dayAndTime(made.expires_at, i18n.language) })}
        done={t("password.done")}
        onDone={onGone}
      >
        <Secret text={made.link} label={t("password.copy")} testId="password-link" />
      </ShownOnce>
    )
  }
  return (
    <FormDialog
      isOpen={forgetful.isOpen}
      onClose={onClose}
      onGone={onGone}
      title={t("password.title", { email })}
      text={t("password.text")}
      action={t("password.action")}
      onSubmit={make}
    />
  )
}
