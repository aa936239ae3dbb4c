import { useQuery } from "@tanstack/react-query"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import { groupsQuery } from "../../api/operator-queries"
import type { Account } from "../../api/types"
import { Field } from "../../components/field"
import { FormDialog } from "../../components/form-dialog"
import { Select } from "../../components/input"
import { multiplierText } from "../../format/quota"

export function GroupDialog({
  account,
  isOpen,
  onClose,
  onGone,
  onChoose,
}: {
  account: Account
  isOpen: boolean
  onClose: () => void
  onGone: () => void
  onChoose: (group: string) => Promise<unknown>
}) {
  const { t } = useTranslation("admin")
  const groups = useQuery(groupsQuery)
  const [group, setGroup] = useState(account.group)
  return (
    <FormDialog
      isOpen={isOpen}
      onClose={onClose}
      onGone={onGone}
      title={t("accounts.groupTitle", { name: account.name })}
      text={t("accounts.groupText")}
      action={t("accounts.groupAction", { group })}
      onSubmit={() => onChoose(group)}
    >
      <Field label={t("accounts.group")}>
        {(ids) => (
          <Select {...ids} value={group} onChange={(event) => setGroup(event.target.value)}>
            {(groups.data ?? []).map((option) => (
              <option key={option.name} value={option.name}>
                {option.name} {multiplierText(option.multiplier_micros)}
              </option>
            ))}
          </Select>
        )}
      </Field>
    </FormDialog>
  )
}
