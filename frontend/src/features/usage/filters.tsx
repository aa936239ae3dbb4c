import { useQuery } from "@tanstack/react-query"
import { Calendar } from "lucide-react"
import { useTranslation } from "react-i18next"
import { keysQuery } from "../../api/queries"
import { Button } from "../../components/button"
import { Input, SearchInput, Select } from "../../components/input"
import { useUrlText } from "../../components/url-text"
import { summaryQuery } from "./queries"
import { type CallState, SPANS, type Span, STATES, type UsageSearch } from "./search"
import { DEFAULT_SPAN, type Instants } from "./span"

export type Change = (change: Partial<UsageSearch>) => void

/** What stands in front of a choice and names it, also for screen readers through the select's own label. */
function Named({ name }: { name: string }) {
  return (
    <span className="q shrink-0" aria-hidden="true">
      {name}
    </span>
  )
}

function CustomDays({ search, onChange }: { search: UsageSearch; onChange: Change }) {
  const { t } = useTranslation("usage")
  return (
    <div className="custom-days">
      {(["from", "to"] as const).map((end) => (
        <Input
          key={end}
          type="date"
          aria-label={t(`span.${end}`)}
          before={<Named name={t(`span.${end}`)} />}
          value={search[end] ?? ""}
          min={end === "to" ? search.from : undefined}
          max={end === "from" ? search.to : undefined}
          onChange={(event) => onChange({ [end]: event.target.value || undefined })}
        />
      ))}
    </div>
  )
}

function without<T extends string>(options: T[], also: T | undefined): T[] {
  return also !== undefined && !options.includes(also) ? [also, ...options] : options
}

/** Every choice stands in the address, so a filtered log can be sent to someone. */
export function Filters({
  search,
  instants,
  onChange,
  onFind,
}: {
  search: UsageSearch
  instants: Instants
  onChange: Change
  /** Enter in the field of the request id. */
  onFind: (requestId: string) => void
}) {
  const { t } = useTranslation("usage")
  const [text, setText] = useUrlText(search.q ?? "", (q) => onChange({ q: q.trim() || undefined }))
  const { data: models } = useQuery(summaryQuery(instants))
  const { data: keys } = useQuery(keysQuery)
  const modelNames = without(models?.items.map((item) => item.key).sort() ?? [], search.model)
  const keyIds = without(keys?.items.map((key) => key.id) ?? [], search.key)
  const nameOf = (id: string) => keys?.items.find((key) => key.id === id)?.name ?? id.slice(0, 8)
  const span = search.span ?? DEFAULT_SPAN
  return (
    <search className="ufilt" aria-label={t("filters")}>
      <form
        className="find"
        onSubmit={(event) => {
          event.preventDefault()
          if (text.trim()) onFind(text.trim())
        }}
      >
        <SearchInput label={t("find")} value={text} onValue={setText} />
      </form>
      <Select
        aria-label={t("span.label")}
        before={<Calendar className="i" aria-hidden="true" />}
        value={span}
        onChange={(event) => {
          const wanted = event.target.value as Span
          onChange({
            span: wanted === DEFAULT_SPAN ? undefined : wanted,
            ...(wanted !== "custom" && { from: undefined, to: undefined }),
          })
        }}
      >
        {SPANS.map((name) => (
          <option key={name} value={name}>
            {t(`span.${name}`)}
          </option>
        ))}
      </Select>
      {span === "custom" && <CustomDays search={search} onChange={onChange} />}
      <Select
        aria-label={t("model")}
        before={<Named name={t("model")} />}
        value={search.model ?? ""}
        onChange={(event) => onChange({ model: event.target.value || undefined })}
      >
        <option value="">{t("any")}</option>
        {modelNames.map((name) => (
          <option key={name}>{name}</option>
        ))}
      </Select>
      <Select
        aria-label={t("key")}
        before={<Named name={t("key")} />}
        value={search.key ?? ""}
        onChange={(event) => onChange({ key: event.target.value || undefined })}
      >
        <option value="">{t("any")}</option>
        {keyIds.map((id) => (
          <option key={id} value={id}>
            {nameOf(id)}
          </option>
        ))}
      </Select>
      <Select
        aria-label={t("stateHead")}
        before={<Named name={t("stateHead")} />}
        value={search.state ?? ""}
        onChange={(event) => onChange({ state: (event.target.value || undefined) as CallState | undefined })}
      >
        <option value="">{t("any")}</option>
        {STATES.map((name) => (
          <option key={name} value={name}>
            {t(`state.${name}`)}
          </option>
        ))}
      </Select>
    </search>
  )
}

export function ClearFilters({ onChange }: { onChange: Change }) {
  const { t } = useTranslation("usage")
  return (
    <Button
      size="sm"
      onClick={() => onChange({ q: undefined, model: undefined, key: undefined, state: undefined })}
    >
      {t("clear")}
    </Button>
  )
}
