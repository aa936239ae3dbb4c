import { Download } from "lucide-react"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import type { NewBatch } from "../../api/types"
import { useLedger } from "../../components/amount"
import { Button } from "../../components/button"
import { CodeBlock } from "../../components/code"
import { ShownOnce } from "../../components/shown-once"
import { csv, download } from "../../format/csv"
import { amountInput } from "../../format/quota"

const SHOWN = 8

/** The codes of a new batch, shown and exported this once. */
export function CodesDialog({ made, onDone }: { made: NewBatch; onDone: () => void }) {
  const { t } = useTranslation("admin")
  const { unit, currency } = useLedger()
  const [isStored, setStored] = useState(false)
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
    <ShownOnce
      title={t("codes.madeTitle", { name: made.name })}
      text={t("codes.madeText")}
      stored={t("codes.stored")}
      isStored={isStored}
      onStored={setStored}
      done={t("done")}
      gone={codes ? null : t("codes.gone")}
      onDone={onDone}
    >
      {codes && (
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
      )}
    </ShownOnce>
  )
}
