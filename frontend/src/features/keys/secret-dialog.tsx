import { useState } from "react"
import { useTranslation } from "react-i18next"
import { gatewayUrl } from "../../api/runtime"
import type { Key } from "../../api/types"
import { Amount } from "../../components/amount"
import { CodeTabs } from "../../components/code"
import { Secret, ShownOnce } from "../../components/shown-once"
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

/** The key, shown this once, with everything to begin with it. */
export function SecretDialog({ made, model, onDone }: { made: NewKey; model: string; onDone: () => void }) {
  const { t } = useTranslation("keys")
  const [isStored, setStored] = useState(false)
  const secret = made.key
  return (
    <ShownOnce
      title={t("secret.title", { name: made.name })}
      text={t("secret.text")}
      stored={t("secret.stored")}
      isStored={isStored}
      onStored={setStored}
      done={t("secret.done")}
      gone={secret ? null : t("secret.gone")}
      onDone={onDone}
    >
      {secret && (
        <>
          <Secret text={secret} label={t("secret.copy")} testId="new-key" />
          <CodeTabs label={t("secret.as")} help={t("secret.ready")} tabs={snippets(secret, model)} />
        </>
      )}
      <Facts made={made} />
    </ShownOnce>
  )
}
