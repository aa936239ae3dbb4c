import { useState } from "react"
import { useTranslation } from "react-i18next"
import type { User } from "../../api/types"
import { Field } from "../../components/field"
import { FormDialog } from "../../components/form-dialog"
import { Select } from "../../components/input"

const ROLES = ["user", "operator", "owner"] as const

export function RoleDialog({
  user,
  isOpen,
  onClose,
  onGone,
  onChoose,
}: {
  user: User
  isOpen: boolean
  onClose: () => void
  onGone: () => void
  onChoose: (role: User["role"]) => Promise<unknown>
}) {
  const { t } = useTranslation(["users", "common"])
  const [role, setRole] = useState(user.role)
  return (
    <FormDialog
      isOpen={isOpen}
      onClose={onClose}
      onGone={onGone}
      title={t("roleTitle", { email: user.email })}
      text={t("roleText")}
      action={t("common:save")}
      onSubmit={() => onChoose(role)}
    >
      <Field label={t("role")} help={t(`may.${role}`)}>
        {(ids) => (
          <Select {...ids} value={role} onChange={(event) => setRole(event.target.value as User["role"])}>
            {ROLES.map((one) => (
              <option key={one} value={one}>
                {t(`roles.${one}`)}
              </option>
            ))}
          </Select>
        )}
      </Field>
    </FormDialog>
  )
}
