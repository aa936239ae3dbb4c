import { useBlocker } from "@tanstack/react-router"
import { Download } from "lucide-react"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import type { NewBatch } from "../../api/types"
import { useLedger } from "../../components/amount"
import { Button } from "../../components/button"
import { Check } from "../../components/choice"
import { CodeBlock } from "../../components/code"
import { Dialog } from "../../components/dialog"
import { Note } from "../../components/note"
import { csv, download } from "../../format/csv"
import { amountInput } from "../../format/quota"

const SHOWN = 8

/** The codes of a new batch, shown and exported this once; only "Done" takes them away. */
export function CodesDialog({ made, onDone }: { made: NewBatch | null; onDone: () => void }) {
  const { t } = useTranslation("admin")
  const { unit, currency } = useLedger()
  const [isStored, setStored] = useState(false)
  const [isOpen, setOpen] = useState(true)
  useBlocker({ shouldBlockFn: () => true, enableBeforeUnload: () => made !== null, disabled: made === null })
  if (!made) return null
  const { codes } = made
  const save = () => {
    const rows = (codes ?? []).map((code) => [
      code,
      amountInput(made.amount, unit),
      currency,
      made.expires_at ?? "",
    ])
    download(
      `${made.name.replace(/[^\w-]+/g, "-")}.csv`,
      csv([["code", "amount", "currency", "expires_at"], ...rows]),
    )
    setStored(true)
  }
  return (
    <Dialog
      isOpen={isOpen}
      isHeld
      onClose={() => setOpen(false)}
      onGone={onDone}
      title={t("codes.madeTitle", { name: made.name })}
      text={codes ? t("codes.madeText") : undefined}
      foot={
        <>
          <span className="mr-auto">
            <Check isOn={isStored} onChange={setStored}>
              {t("codes.stored")}
            </Check>
          </span>
          <Button
            look={isStored || !codes ? "primary" : "plain"}
            disabled={!isStored && codes !== null}
            onClick={() => setOpen(false)}
          >
            {t("done")}
          </Button>
        </>
      }
    >
      {codes ? (
        <>
          <CodeBlock
            code={codes.slice(0, SHOWN).join("\n")}
            copied={codes.join("\n")}
            label={t("codes.title")}
          />
          {codes.length > SHOWN && (
            <p className="help">{t("codes.andMore", { count: codes.length - SHOWN })}</p>
          )}
          <div>
            <Button look={isStored ? "plain" : "primary"} onClick={save}>
              <Download className="i" aria-hidden="true" />
              {t("codes.download", { count: codes.length })}
            </Button>
          </div>
        </>
      ) : (
        <Note tone="warn">{t("codes.gone")}</Note>
      )}
    </Dialog>
  )
}
