import { useBlocker } from "@tanstack/react-router"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import { apiOrigin } from "../../api/runtime"
import type { NewToken } from "../../api/types"
import { Button } from "../../components/button"
import { Check } from "../../components/choice"
import { CodeBlock } from "../../components/code"
import { CopyButton } from "../../components/copy"
import { Dialog } from "../../components/dialog"
import { Note } from "../../components/note"

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

/** The token, shown this once: only "Done", which waits for "I have stored this token", takes it away. */
export function TokenSecret({ made, onDone }: { made: NewToken | null; onDone: () => void }) {
  const { t } = useTranslation("tokens")
  const [isStored, setStored] = useState(false)
  const [isOpen, setOpen] = useState(true)
  useBlocker({ shouldBlockFn: () => true, enableBeforeUnload: () => made !== null, disabled: made === null })
  if (!made) return null
  return (
    <Dialog
      isOpen={isOpen}
      isHeld
      onClose={() => setOpen(false)}
      onGone={onDone}
      title={t("secretTitle", { name: made.name })}
      text={made.token ? t("secretText") : undefined}
      foot={
        <>
          <span className="mr-auto">
            <Check isOn={isStored} onChange={setStored}>
              {t("stored")}
            </Check>
          </span>
          <Button
            look={isStored || !made.token ? "primary" : "plain"}
            disabled={!isStored && made.token !== null}
            onClick={() => setOpen(false)}
          >
            {t("done")}
          </Button>
        </>
      }
    >
      {made.token ? (
        <>
          <div className="secret">
            <span className="mono" data-testid="new-token">
              {made.token}
            </span>
            <CopyButton look="primary" text={made.token} label={t("copyToken")} autoFocus />
          </div>
          <CodeBlock code={sampleCall(made)} label="curl" />
        </>
      ) : (
        <Note tone="warn">{t("gone")}</Note>
      )}
    </Dialog>
  )
}
