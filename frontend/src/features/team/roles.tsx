import { useTranslation } from "react-i18next"
import type { TeamRole } from "../../api/types"
import { Field } from "../../components/field"
import { Select } from "../../components/input"

const ROLES: TeamRole[] = ["member", "billing", "admin", "owner"]

/** Only owners make owners. */
export function rolesFor(own: TeamRole): TeamRole[] {
  return ROLES.filter((role) => role !== "owner" || own === "owner")
}

/** A role with what it may do, in words. */
export function RoleField({
  own,
  value,
  onValue,
}: {
  own: TeamRole
  value: TeamRole
  onValue: (role: TeamRole) => void
}) {
  const { t } = useTranslation("team")
  return (
    <Field label={t("role")} help={t(`may.${value}`)}>
      {(ids) => (
        <Select {...ids} value={value} onChange={(event) => onValue(event.target.value as TeamRole)}>
          {rolesFor(own).map((role) => (
            <option key={role} value={role}>
              {t(`roles.${role}`)}
            </option>
          ))}
        </Select>
      )}
    </Field>
  )
}
