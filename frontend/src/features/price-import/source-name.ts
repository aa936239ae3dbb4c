import { useTranslation } from "react-i18next"

/** The name of a kind of list; one that this build does not know shows under its own name. */
export function useSourceName(): (source: string) => string {
  const { t, i18n } = useTranslation("price-imports")
  return (source) =>
    i18n.exists(`source.${source}`, { ns: "price-imports" })
      ? t(`source.${source}` as "source.shipped")
      : source
}
