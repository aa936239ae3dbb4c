import { useTranslation } from "react-i18next"
import { Button } from "../../components/button"
import { CopyButton } from "../../components/copy"
import { Dialog } from "../../components/dialog"
import { Note } from "../../components/note"

/** The codes, this once. Nothing but its own button closes it. */
export function RecoveryCodes({ codes, onDone }: { codes: string[] | null; onDone: () => void }) {
  const { t } = useTranslation("security")
  return (
    <Dialog
      isHeld
      isOpen={codes !== null}
      onClose={onDone}
      title={t("codesTitle")}
      text={t("codesText")}
      foot={
        <>
          <CopyButton text={(codes ?? []).join("\n")} label={t("copyCodes")} size="md" />
          <Button look="primary" onClick={onDone}>
            {t("codesKept")}
          </Button>
        </>
      }
    >
      <ol className="mono grid grid-cols-2 gap-x-6 gap-y-2" aria-label={t("codesTitle")}>
        {codes?.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ol>
      <Note tone="warn">{t("codesOnce")}</Note>
    </Dialog>
  )
}
