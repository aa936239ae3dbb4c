import { useTranslation } from "react-i18next"
import { Field } from "./field"
import { Input } from "./input"
import { PASSWORD_LEAST, passwordHint } from "./password-hint"

/**
 * Where a password is chosen: what it needs, what may be said of it so far, and what is wrong once it `wasSent`. `help`
 * takes the place of the general words while it is too short; `error` is what is wrong with one that is long enough.
 */
export function NewPassword({
  label,
  value,
  onValue,
  wasSent,
  email = "",
  help,
  error = null,
  isLarge = false,
  isFirst = false,
}: {
  label: string
  value: string
  onValue: (value: string) => void
  wasSent: boolean
  email?: string
  help?: string
  error?: string | null
  isLarge?: boolean
  isFirst?: boolean
}) {
  const { t } = useTranslation("common")
  const hint = passwordHint(value, email)
  const wrong = value.length < PASSWORD_LEAST ? t("newPassword.short", { count: value.length }) : error
  return (
    <Field
      label={label}
      help={hint === "help" && help ? help : t(`newPassword.${hint}`)}
      error={wasSent ? wrong : null}
    >
      {(ids) => (
        <Input
          {...ids}
          isLarge={isLarge}
          type="password"
          name="password"
          autoComplete="new-password"
          autoFocus={isFirst}
          value={value}
          onChange={(event) => onValue(event.target.value)}
        />
      )}
    </Field>
  )
}
