import type { ReactNode } from "react"
import { useTranslation } from "react-i18next"
import { Chip } from "../../components/choice"
import { SearchInput } from "../../components/input"
import { useUrlText } from "../../components/url-text"

type Noun = keyof typeof import("../../i18n/locales/en/audit-log.json")["noun"]

/** The beginning of an action, typed or chosen among the nouns that people look for first. */
export function FilterBar({
  find,
  nouns,
  action,
  onAction,
  children,
}: {
  find: string
  nouns: readonly Noun[]
  action: string | undefined
  onAction: (action: string | undefined) => void
  /** More chips. */
  children?: ReactNode
}) {
  const { t } = useTranslation("audit-log")
  const [text, setText] = useUrlText(action ?? "", (typed) => onAction(typed.trim() || undefined))
  return (
    <search className="mb-4 flex flex-wrap items-center gap-3" aria-label={t("filters")}>
      <SearchInput boxClass="md:w-[300px]!" label={find} value={text} onValue={setText} />
      {/* biome-ignore lint/a11y/useSemanticElements: chips are buttons in a row */}
      <div className="flex flex-wrap gap-2" role="group" aria-label={t("nouns")}>
        {nouns.map((noun) => (
          <Chip
            key={noun}
            isOn={action === noun}
            onPress={() => {
              const chosen = action === noun ? undefined : noun
              setText(chosen ?? "")
              onAction(chosen)
            }}
          >
            {t(`noun.${noun}`)}
          </Chip>
        ))}
        {children}
      </div>
    </search>
  )
}
