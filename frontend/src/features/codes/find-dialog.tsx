import { useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import type { FoundCode } from "../../api/types"
import { Field } from "../../components/field"
import { FormDialog } from "../../components/form-dialog"
import { Input } from "../../components/input"

/** Finds the batch of a code that somebody shows. The code goes to the server in a body, never into an address. */
export function FindDialog({
  isOpen,
  onClose,
  onFound,
}: {
  isOpen: boolean
  onClose: () => void
  onFound: (found: FoundCode) => void
}) {
  const { t } = useTranslation("codes")
  const [text, setText] = useState("")
  const [isMissing, setMissing] = useState(false)
  const submit = () => {
    if (!text.trim()) {
      setMissing(true)
      return null
    }
    return body(api().POST("/api/v1/admin/redemption-codes/find", { body: { code: text } })).then(onFound)
  }
  return (
    <FormDialog
      isOpen={isOpen}
      onClose={onClose}
      onGone={() => {
        setText("")
        setMissing(false)
      }}
      title={t("find.title")}
      text={t("find.text")}
      action={t("find.action")}
      onSubmit={submit}
    >
      <Field label={t("find.code")} error={isMissing ? t("find.missing") : null}>
        {(ids) => (
          <Input
            {...ids}
            autoFocus
            className="mono"
            autoComplete="off"
            spellCheck={false}
            value={text}
            onChange={(event) => {
              setText(event.target.value)
              setMissing(false)
            }}
          />
        )}
      </Field>
    </FormDialog>
  )
}
