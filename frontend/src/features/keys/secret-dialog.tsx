import { useBlocker } from "@tanstack/react-router"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import { gatewayUrl } from "../../api/runtime"
import type { Key } from "../../api/types"
import { Amount } from "../../components/amount"
import { Button } from "../../components/button"
import { Check } from "../../components/choice"
import { CodeTabs } from "../../components/code"
import { CopyButton } from "../../components/copy"
import { Dialog } from "../../components/dialog"
import { Note } from "../../components/note"
import { When } from "../../components/when"

export type NewKey = Key & { key: string | null }

/** A first call that works when pasted. */
export function firstCall(secret: string, model: string): string {
  return `curl ${gatewayUrl()}/chat/completions \\
  -H "Authorization: Bearer ${secret}" \\
  -H "Content-Type: application/json" \\
  -d '{"model": "${model}", "messages": [{"role": "user", "content": "Hello"}]}'`
}

function snippets(secret: string, model: string) {
  const url = gatewayUrl()
  return [
    { name: ".env", code: `OPENAI_BASE_URL=${url}\nOPENAI_API_KEY=${secret}` },
    { name: "curl", code: firstCall(secret, model) },
    {
      name: "Python",
      code: `from openai import OpenAI\n\nclient = OpenAI(\n    base_url="${url}",\n    api_key="${secret}",\n)`,
    },
  ]
}

function Facts({ made }: { made: NewKey }) {
  const { t } = useTranslation("keys")
  return (
    <dl className="kv border-t border-rule pt-3">
      <dt>{t("secret.limit")}</dt>
      <dd>{made.spend_limit == null ? t("noLimit") : <Amount quota={made.spend_limit} withSign />}</dd>
      <dt>{t("secret.models")}</dt>
      <dd className={made.models?.length ? "mono" : undefined}>
        {made.models?.join(", ") || t("allModels")}
      </dd>
      <dt>{t("secret.expires")}</dt>
      <dd>{made.expires_at ? <When at={made.expires_at} as="time" /> : t("secret.never")}</dd>
    </dl>
  )
}

/**
 * The key, shown this once. Neither a click beside it, nor Escape, nor another address, nor closing the tab takes it away
 * unasked; only "Done", which waits for "I have stored this key".
 */
export function SecretDialog({
  made,
  model,
  onDone,
}: {
  made: NewKey | null
  model: string
  onDone: () => void
}) {
  const { t } = useTranslation("keys")
  const [isStored, setStored] = useState(false)
  const [isOpen, setOpen] = useState(true)
  useBlocker({ shouldBlockFn: () => true, enableBeforeUnload: () => made !== null, disabled: made === null })
  if (!made) return null
  const secret = made.key
  return (
    <Dialog
      isOpen={isOpen}
      isHeld
      onClose={() => setOpen(false)}
      onGone={onDone}
      title={t("secret.title", { name: made.name })}
      text={secret ? t("secret.text") : undefined}
      foot={
        <>
          <span className="mr-auto">
            <Check isOn={isStored} onChange={setStored}>
              {t("secret.stored")}
            </Check>
          </span>
          <Button
            look={isStored || !secret ? "primary" : "plain"}
            disabled={!isStored && secret !== null}
            onClick={() => setOpen(false)}
          >
            {t("secret.done")}
          </Button>
        </>
      }
    >
      {secret ? (
        <>
          <div className="secret">
            <span className="mono" data-testid="new-key">
              {secret}
            </span>
            <CopyButton look="primary" text={secret} label={t("secret.copy")} autoFocus />
          </div>
          <CodeTabs label={t("secret.as")} help={t("secret.ready")} tabs={snippets(secret, model)} />
        </>
      ) : (
        <Note tone="warn">{t("secret.gone")}</Note>
      )}
      <Facts made={made} />
    </Dialog>
  )
}
