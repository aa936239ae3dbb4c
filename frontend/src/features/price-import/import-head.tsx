import { useTranslation } from "react-i18next"
import type { PriceImport } from "../../api/types"
import { Check, Chip } from "../../components/choice"
import { SearchInput, Select } from "../../components/input"
import { useUrlText } from "../../components/url-text"
import { When } from "../../components/when"
import { changeText } from "../../format/part"
import { countText } from "../../format/quota"
import { CHANGES, LINE_STATES, type LineState, type LinesSearch } from "./search"

/** What the list is for, how it was converted, who read it in, and how far one has come. */
export function Facts({ found }: { found: PriceImport }) {
  const { t } = useTranslation("price-imports")
  return (
    <dl className="import-facts facts-row">
      <div>
        <dt>{t("for")}</dt>
        <dd>{found.channel_id ? t("costsOf", { name: found.channel ?? "–" }) : t("pricesOfModels")}</dd>
      </div>
      <div>
        <dt>{t("factor")}</dt>
        <dd className="fig">
          ×{found.factor}
          {found.markup_micros !== 0 && ` ${changeText(found.markup_micros)}`}
        </dd>
      </div>
      <div>
        <dt>{t("who")}</dt>
        <dd>
          {found.created_by_email ?? t("nobody")}, <When at={found.created_at} />
        </dd>
      </div>
      <div>
        <dt>{t("accepted")}</dt>
        <dd className="fig">
          {countText(found.accepted)} / {countText(found.lines)}
        </dd>
      </div>
    </dl>
  )
}

/** Which lines are shown; every choice stands in the address. */
export function Filters({
  found,
  search,
  onChange,
}: {
  found: PriceImport
  search: LinesSearch
  onChange: (change: LinesSearch) => void
}) {
  const { t } = useTranslation("price-imports")
  const [text, setText] = useUrlText(search.q ?? "", (q) => onChange({ q: q || undefined }))
  const vendors = Object.entries(found.vendors)
  return (
    <div className="mb-4 grid gap-3">
      <div className="flex flex-wrap items-center gap-3">
        <SearchInput boxClass="md:w-[260px]!" label={t("search")} value={text} onValue={setText} />
        {vendors.length > 1 && (
          <Select
            boxClass="w-auto!"
            aria-label={t("vendor")}
            value={search.vendor ?? ""}
            onChange={(event) => onChange({ vendor: event.target.value || undefined })}
          >
            <option value="">{t("everyVendor")}</option>
            {vendors.map(([vendor, lines]) => (
              <option key={vendor} value={vendor}>
                {vendor} ({countText(lines)})
              </option>
            ))}
          </Select>
        )}
        <Select
          boxClass="w-auto!"
          aria-label={t("state")}
          value={search.state ?? ""}
          onChange={(event) =>
            onChange({ state: (event.target.value || undefined) as LineState | undefined })
          }
        >
          <option value="">{t("everyState")}</option>
          {LINE_STATES.map((state) => (
            <option key={state} value={state}>
              {t(`states.${state}`)}
            </option>
          ))}
        </Select>
      </div>
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
        {/* biome-ignore lint/a11y/useSemanticElements: chips are buttons in a row */}
        <div className="flex flex-wrap gap-2" role="group" aria-label={t("change")}>
          <Chip isOn={search.change === undefined} onPress={() => onChange({ change: undefined })}>
            {t("all")} <span className="q fig">{countText(found.lines)}</span>
          </Chip>
          {CHANGES.filter((change) => found.changes[change]).map((change) => (
            <Chip key={change} isOn={search.change === change} onPress={() => onChange({ change })}>
              {t(`changes.${change}`)} <span className="q fig">{countText(found.changes[change] ?? 0)}</span>
            </Chip>
          ))}
        </div>
        <Check isOn={search.known === true} onChange={(isOn) => onChange({ known: isOn || undefined })}>
          {t("onlyKnown")}
        </Check>
        <Check isOn={search.left === true} onChange={(isOn) => onChange({ left: isOn || undefined })}>
          {t("onlyUnmapped")}
        </Check>
      </div>
    </div>
  )
}

/** What the list has and no line could be made of, with the reason. */
export function SkippedEntries({ found }: { found: PriceImport }) {
  const { t } = useTranslation("price-imports")
  if (found.skipped.length === 0) return null
  return (
    <details className="fold mt-6">
      <summary>{t("skippedEntries", { count: found.skipped.length })}</summary>
      <ul className="mt-3 grid gap-1 text-13">
        {found.skipped.slice(0, 200).map((entry, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a list may have entries of one name, or of none
          <li key={index} className="wrap-anywhere">
            <span className="mono">{entry.name || "–"}</span>: {entry.reason}
          </li>
        ))}
      </ul>
    </details>
  )
}
