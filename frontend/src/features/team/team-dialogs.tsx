import { useState } from "react"
import { useTranslation } from "react-i18next"
import { Field } from "../../components/field"
import { FormDialog } from "../../components/form-dialog"
import { Input } from "../../components/input"

/** A name for a new team, or another for one there is (`before`). */
export function NameDialog({
  before = "",
  isOpen,
  onClose,
  onName,
}: {
  before?: string
  isOpen: boolean
  onClose: () => void
  onName: (name: string) => Promise<unknown>
}) {
  const { t } = useTranslation(["team", "common"])
  const [name, setName] = useState(before)
  const [isWrong, setWrong] = useState(false)
  return (
    <FormDialog
      isOpen={isOpen}
      onClose={onClose}
      onGone={() => {
        setName(before)
        setWrong(false)
      }}
      title={before ? t("rename") : t("new")}
      text={before ? undefined : t("newText")}
      action={before ? t("common:save") : t("newAction")}
      onSubmit={() => {
        const wanted = name.trim()
        setWrong(!wanted)
        return wanted ? onName(wanted) : null
      }}
    >
      <Field label={t("name")} help={t("nameHelp")} error={isWrong ? t("needName") : null}>
        {(ids) => (
          <Input
            {...ids}
            autoFocus
            maxLength={120}
            value={name}
            onChange={(event) => {
              setName(event.target.value)
              setWrong(false)
            }}
          />
        )}
      </Field>
    </FormDialog>
  )
}
