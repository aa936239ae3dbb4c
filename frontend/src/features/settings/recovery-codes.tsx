import { useTranslation } from "react-i18next"
import { CopyButton } from "../../components/copy"
import { Note } from "../../components/note"
import { ShownOnce } from "../../components/shown-once"

/** The codes, this once. */
export function RecoveryCodes({ codes, onDone }: { codes: string[]; onDone: () => void }) {
  const { t } = useTranslation("security")
  return (
    <ShownOnce
      title={t("codesTitle")}
      text={t("codesText")}
      extra={<CopyButton text={codes.join("\n")} label={t("copyCodes")} size="md" />}
      done={t("codesKept")}
      onDone={onDone}
    >
      <ol className="mono grid grid-cols-2 gap-x-6 gap-y-2" aria-label={t("codesTitle")}>
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ol>
      <Note tone="warn">{t("codesOnce")}</Note>
    </ShownOnce>
  )
}
