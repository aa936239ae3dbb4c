import { useTranslation } from "react-i18next"

/** Why an upstream was left for another, in words; what this build does not know stays as it came. */
export function useReasonText(): (reason: string) => string {
  const { t, i18n } = useTranslation()
  return (reason) => {
    const [, status] = /^status (\d+)$/.exec(reason) ?? []
    if (status) return t("reason.status", { status })
    return i18n.exists(`reason.${reason}`, { ns: "common" })
      ? t(`reason.${reason}` as "reason.channel")
      : reason
  }
}
