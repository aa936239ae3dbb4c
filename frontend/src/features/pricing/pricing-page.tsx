import { keepPreviousData, useQuery, useSuspenseQuery } from "@tanstack/react-query"
import { getRouteApi } from "@tanstack/react-router"
import { ChevronUp, Layers } from "lucide-react"
import { Trans, useTranslation } from "react-i18next"
import { pricingQuery, statusQuery } from "../../api/queries"
import { isSignedIn } from "../../api/session"
import type { PricedModel, Pricing } from "../../api/types"
import { Amount } from "../../components/amount"
import { Button, ButtonLink } from "../../components/button"
import { Chip, Segmented } from "../../components/choice"
import { SearchInput, Select } from "../../components/input"
import { useTitle } from "../../components/page"
import { Failed } from "../../components/problem"
import { useUrlText } from "../../components/url-text"
import { multiplierText } from "../../format/quota"
import { Calculator, useEstimate } from "./calculator"
import { byVendor, matchingModels } from "./models"
import "./pricing.css"
import { RateTable } from "./rate-table"
import type { PricingSearch, Shown } from "./search"

const route = getRouteApi("/either/pricing")

type Change = (change: Partial<PricingSearch>) => void

function Filters({
  pricing,
  search,
  onChange,
}: {
  pricing: Pricing | undefined
  search: PricingSearch
  onChange: Change
}) {
  const { t } = useTranslation("pricing")
  const [text, setText] = useUrlText(search.q ?? "", (q) => onChange({ q: q || undefined }))
  const vendors = [...new Set((pricing?.models ?? []).map(({ vendor }) => vendor ?? ""))]
    .filter(Boolean)
    .sort()
  const group = pricing?.groups.find(({ name }) => name === pricing.group)
  const count = pricing?.models.length ?? 0
  return (
    <>
      <div className="tools">
        <SearchInput boxClass="find" label={t("search", { count })} value={text} onValue={setText} />
        <Select
          boxClass="pick"
          aria-label={t("group")}
          before={<Layers className="i" aria-hidden="true" />}
          value={pricing?.group ?? ""}
          onChange={(event) => onChange({ group: event.target.value })}
        >
          {pricing?.groups.map((option) => (
            <option key={option.name} value={option.name}>
              {option.label || option.name} {multiplierText(option.multiplier_micros)}
            </option>
          ))}
        </Select>
        <Segmented<Shown>
          label={t("unit")}
          value={search.per ?? "1m"}
          onValue={(per) => onChange({ per: per === "1m" ? undefined : per })}
          options={[
            { value: "1m", label: t("per1m") },
            { value: "1k", label: t("per1k") },
          ]}
        />
      </div>
      <div className="filters">
        {vendors.length > 1 && (
          // biome-ignore lint/a11y/useSemanticElements: a fieldset does not scroll sideways on a phone
          <div className="flex gap-1.5" role="group" aria-label={t("vendors")}>
            <Chip isOn={!search.vendor} onPress={() => onChange({ vendor: undefined })}>
              {t("all")}
            </Chip>
            {vendors.map((vendor) => (
              <Chip key={vendor} isOn={search.vendor === vendor} onPress={() => onChange({ vendor })}>
                {vendor}
              </Chip>
            ))}
          </div>
        )}
        {group && (
          <span className="applied">
            <Trans
              t={t}
              i18nKey={group.multiplier_micros === 1_000_000 ? "plain" : "applied"}
              values={{
                group: group.label || group.name,
                multiplier: multiplierText(group.multiplier_micros),
              }}
              components={{ 1: <b />, 2: <b /> }}
            />
          </span>
        )}
      </div>
    </>
  )
}

function NoModels({ search, onChange, isAny }: { search: PricingSearch; onChange: Change; isAny: boolean }) {
  const { t } = useTranslation("pricing")
  return (
    <div className="state-box">
      <b>{isAny ? t("noneFound") : t("empty")}</b>
      <p>{isAny ? t("noneFoundText", { text: search.q ?? search.vendor ?? "" }) : t("emptyText")}</p>
      {isAny && (
        <Button size="sm" className="mt-2" onClick={() => onChange({ q: undefined, vendor: undefined })}>
          {t("clear")}
        </Button>
      )}
    </div>
  )
}

function OwnRates() {
  const { t } = useTranslation(["pricing", "common"])
  const { data: status } = useSuspenseQuery(statusQuery)
  const canRegister = status.sign_up !== "closed"
  return (
    <section className="call">
      <h2 className="text-14">{t("own.title")}</h2>
      <p>{t("own.text")}</p>
      <div className="mt-2 flex gap-2">
        {canRegister && (
          <ButtonLink look="primary" to="/register">
            {t("common:nav.register")}
          </ButtonLink>
        )}
        <ButtonLink look={canRegister ? "plain" : "primary"} to="/sign-in">
          {t("common:nav.signIn")}
        </ButtonLink>
      </div>
    </section>
  )
}

/** On a phone the calculator is below the table; its answer stays in sight at the bottom. */
function Peek({ model, group, search }: { model: PricedModel; group: string; search: PricingSearch }) {
  const { t } = useTranslation("pricing")
  const { data } = useEstimate(model, group, search)
  if (!data) return null
  return (
    <a className="peek md:hidden" href="#calc">
      <span className="truncate">
        {t("calc.peek")} <span className="mono">{model.model}</span>
      </span>
      <b className="fig">
        <Amount quota={data.cost} as="cost" withSign /> <span className="q">{t("calc.aCall")}</span>
      </b>
      <ChevronUp className="i i-sm" aria-hidden="true" />
    </a>
  )
}

export default function PricingPage() {
  const { t } = useTranslation("pricing")
  useTitle(t("tab"))
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const change: Change = (wanted) =>
    navigate({ search: (before) => ({ ...before, ...wanted }), replace: true, resetScroll: false })
  const { data, error, refetch } = useQuery({
    ...pricingQuery(search.group ?? null),
    placeholderData: keepPreviousData,
  })
  const found = data && matchingModels(data.models, search.q ?? "", search.vendor)
  const vendors = found && byVendor(found)
  const ordered = data && byVendor(data.models).flatMap(({ models }) => models)
  const model =
    ordered?.find((option) => option.model === search.model) ??
    ordered?.find(({ rates }) => rates.output) ??
    ordered?.[0]
  return (
    <>
      <div className="main price">
        <div className="intro">
          <h1>{t("title")}</h1>
          <p>{t("text")}</p>
        </div>
        <div className="cols">
          <section aria-label={t("table")}>
            <Filters pricing={data} search={search} onChange={change} />
            <RateTable
              vendors={error && !data ? [] : vendors}
              per={search.per ?? "1m"}
              chosen={model?.model}
              onChoose={(name) => change({ model: name })}
            />
            {error && !data && <Failed title={t("failed")} error={error} onRetry={() => void refetch()} />}
            {data && found?.length === 0 && (
              <NoModels search={search} onChange={change} isAny={data.models.length > 0} />
            )}
            <p className="fine text-12 text-ink-3">{t("fine")}</p>
          </section>
          <aside className="rail" aria-label={t("calc.title")}>
            {data && ordered && model && (
              <Calculator
                models={ordered}
                model={model}
                group={data.group ?? ""}
                search={search}
                onChange={change}
              />
            )}
            {!isSignedIn() && <OwnRates />}
          </aside>
        </div>
      </div>
      {data && model && <Peek model={model} group={data.group ?? ""} search={search} />}
    </>
  )
}
