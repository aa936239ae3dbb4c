import { useState } from "react"
import { useTranslation } from "react-i18next"
import { apiOrigin } from "../../api/runtime"
import type { NewToken } from "../../api/types"
import { CodeBlock } from "../../components/code"
import { Secret, ShownOnce } from "../../components/shown-once"

/** A call that the token may make, and works when pasted. */
function sampleCall(token: NewToken): string {
  const paths: [string, string][] = [
    ["usage.read", "usage/summary"],
    ["wallet.read", "wallet"],
    ["keys.read", "keys"],
    ["operator.read", "admin/accounts"],
  ]
  const path = paths.find(([scope]) => token.scopes.includes(scope))?.[1] ?? "me"
  return `curl ${apiOrigin() || window.location.origin}/api/v1/${path} \\\n  -H "Authorization: Bearer ${token.token}"`
}

/** The token, shown this once. */
export function TokenSecret({ made, onDone }: { made: NewToken; onDone: () => void }) {
  const { t } = useTranslation("tokens")
  const [isStored, setStored] = useState(false)
  return (
    <ShownOnce
      title={t("secretTitle", { name: made.name })}
      text={t("secretText")}
      stored={t("stored")}
      isStored={isStored}
      onStored={setStored}
      done={t("done")}
      gone={made.token ? null : t("gone")}
      onDone={onDone}
    >
      {made.token && (
        <>
          <Secret text={made.token} label={t("copyToken")} testId="new-token" />
          <CodeBlock code={sampleCall(made)} label="curl" />
        </>
      )}
    </ShownOnce>
  )
}
