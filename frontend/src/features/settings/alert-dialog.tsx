import { useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body, onceOnly } from "../../api/client"
import type { Alert, AlertInput } from "../../api/types"
import { useLedger } from "../../components/amount"
import { Check } from "../../components/choice"
import { Field } from "../../components/field"
import { FormDialog } from "../../components/form-dialog"
import { Input, Select } from "../../components/input"
import { Secret, ShownOnce } from "../../components/shown-once"
import { amountInput, parseAmount } from "../../format/quota"

const KINDS = ["low_balance", "key_budget", "member_budget"] as const
type Made = Alert & { secret: string | null }

function thresholdOf(kind: Alert["kind"], text: string, unit: number): number | null {
  if (kind === "low_balance") {
    const quota = parseAmount(text, unit)
    return quota !== null && quota >= 0 ? quota : null
  }
  const percent = Number(text)
  return Number.isInteger(percent) && percent >= 1 && percent <= 100 ? percent : null
}

/** A new alert, or (`edited`) one there is. */
export function AlertDialog({
  isOpen,
  edited,
  onClose,
  onGone,
  onDone,
}: {
  isOpen: boolean
  edited: Alert | null
  onClose: () => void
  onGone: () => void
  onDone: (made: Made) => void
}) {
  const { t } = useTranslation("alerts")
  const { unit, sign } = useLedger()
  const [kind, setKind] = useState<Alert["kind"]>(edited?.kind ?? "low_balance")
  const [text, setText] = useState(
    edited
      ? edited.kind === "low_balance"
        ? amountInput(edited.threshold, unit)
        : String(edited.threshold)
      : "",
  )
  const [toMail, setToMail] = useState(edited?.to_mail ?? true)
  const [url, setUrl] = useState(edited?.webhook_url ?? "")
  const [isWrong, setWrong] = useState(false)
  const isAmount = kind === "low_balance"
  const send = (): Promise<unknown> | null => {
    const threshold = thresholdOf(kind, text, unit)
    setWrong(threshold === null)
    if (threshold === null) return null
    const wanted = { threshold, to_mail: toMail, webhook_url: url.trim() || null }
    const sent = edited
      ? body(
          api().PATCH("/api/v1/alerts/{alert_id}", {
            params: { path: { alert_id: edited.id } },
            body: wanted,
          }),
        )
      : body(
          api().POST("/api/v1/alerts", {
            body: { kind, ...wanted } satisfies AlertInput,
            headers: { "Idempotency-Key": onceOnly() },
          }),
        )
    return sent.then(onDone)
  }
  return (
    <FormDialog
      isOpen={isOpen}
      onClose={onClose}
      onGone={onGone}
      title={t(edited ? "form.editTitle" : "form.title")}
      text={t("form.text")}
      action={t(edited ? "form.save" : "form.submit")}
      onSubmit={send}
    >
      <Field label={t("form.kind")}>
        {(ids) => (
          <Select
            {...ids}
            value={kind}
            disabled={edited !== null}
            onChange={(event) => {
              setKind(event.target.value as Alert["kind"])
              setText("")
              setWrong(false)
            }}
          >
            {KINDS.map((name) => (
              <option key={name} value={name}>
                {t(`kind.${name}`)}
              </option>
            ))}
          </Select>
        )}
      </Field>
      <Field
        label={t(isAmount ? "form.below" : "form.percent")}
        help={t(`form.help.${kind}`)}
        error={isWrong ? t(isAmount ? "form.amountBad" : "form.percentBad") : null}
      >
        {(ids) => (
          <Input
            {...ids}
            autoFocus
            className="num"
            inputMode="decimal"
            before={isAmount ? <span className="affix">{sign}</span> : undefined}
            after={isAmount ? undefined : <span className="affix">%</span>}
            value={text}
            onChange={(event) => {
              setText(event.target.value)
              setWrong(false)
            }}
          />
        )}
      </Field>
      <div className="field">
        <span className="legend">{t("how")}</span>
        <Check isOn={toMail} onChange={setToMail}>
          {t("form.mail")}
        </Check>
      </div>
      <Field label={t("form.webhook")} help={t("form.webhookHelp")}>
        {(ids) => (
          <Input
            {...ids}
            type="url"
            className="mono"
            spellCheck={false}
            placeholder="https://"
            value={url}
            onChange={(event) => setUrl(event.target.value)}
          />
        )}
      </Field>
    </FormDialog>
  )
}

/** The secret that signs an alert's webhooks, shown this once. */
export function SecretOnce({ secret, onDone }: { secret: string; onDone: () => void }) {
  const { t } = useTranslation("alerts")
  return (
    <ShownOnce title={t("secret.title")} text={t("secret.text")} done={t("secret.done")} onDone={onDone}>
      <Secret text={secret} label={t("secret.copy")} testId="alert-secret" />
      <p className="help">{t("secret.how")}</p>
    </ShownOnce>
  )
}
