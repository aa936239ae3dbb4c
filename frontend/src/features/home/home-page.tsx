import { useQuery, useSuspenseQuery } from "@tanstack/react-query"
import { Link } from "@tanstack/react-router"
import { useTranslation } from "react-i18next"
import { pricingQuery, statusQuery } from "../../api/queries"
import { gatewayUrl } from "../../api/runtime"
import { isSignedIn } from "../../api/session"
import type { PricedModel } from "../../api/types"
import { useLedger } from "../../components/amount"
import { ButtonLink } from "../../components/button"
import { CodeTabs } from "../../components/code"
import { LedgerTable } from "../../components/ledger-table"
import { useTitle } from "../../components/page"
import { rateText } from "../../format/quota"

const SHOWN = 5
const MILLION = 1_000_000

function FewRates() {
  const { t } = useTranslation(["home", "common"])
  const { sign, unit } = useLedger()
  const { data } = useQuery(pricingQuery(null))
  const models = data?.models.filter(({ rates }) => rates.input && rates.output)
  if (models?.length === 0) return null
  const rate = (model: PricedModel, meter: "input" | "output") => {
    const found = model.rates[meter]
    return (
      <span className="fig">{found ? rateText(found, model.multiplier_micros, MILLION, unit) : "–"}</span>
    )
  }
  return (
    <section aria-label={t("ratesTitle")}>
      <div className="sec-head">
        <h2>{t("ratesTitle")}</h2>
        <Link className="ml-auto text-13" to="/pricing">
          {t("ratesAll")}
        </Link>
      </div>
      <LedgerTable
        label={t("ratesTitle")}
        rows={models?.slice(0, SHOWN)}
        keyOf={(model) => model.model}
        empty={null}
        columns={[
          {
            id: "model",
            head: t("common:meter.model"),
            cell: (model) => <span className="mono">{model.model}</span>,
          },
          {
            id: "input",
            head: t("common:meter.input"),
            unit: `${sign} / 1M`,
            kind: "num",
            cell: (model) => rate(model, "input"),
          },
          {
            id: "output",
            head: t("common:meter.output"),
            unit: `${sign} / 1M`,
            kind: "num",
            cell: (model) => rate(model, "output"),
          },
        ]}
      />
    </section>
  )
}

function StartCode() {
  const { t } = useTranslation("home")
  const { data } = useQuery(pricingQuery(null))
  const url = gatewayUrl()
  const model = data?.models.find(({ rates }) => rates.output)?.model ?? "MODEL"
  const tabs = [
    { name: ".env", code: `OPENAI_BASE_URL=${url}\nOPENAI_API_KEY=sk-…` },
    {
      name: "Python",
      code: `from openai import OpenAI\n\nclient = OpenAI(\n    base_url="${url}",\n    api_key="sk-…",\n)`,
    },
    {
      name: "curl",
      code: `curl ${url}/chat/completions \\\n  -H "Authorization: Bearer $AIROUTER_KEY" \\\n  -H "Content-Type: application/json" \\\n  -d '{"model": "${model}", "messages": [{"role": "user", "content": "Hello"}]}'`,
    },
  ]
  return (
    <section className="grid content-start gap-3" aria-label={t("codeTitle")}>
      <div>
        <h2>{t("codeTitle")}</h2>
        <p className="text-13 text-ink-2">{t("codeText")}</p>
      </div>
      <CodeTabs label={t("codeTitle")} tabs={tabs} />
    </section>
  )
}

export default function HomePage() {
  const { t } = useTranslation("home")
  useTitle(t("tab"))
  const { data: status } = useSuspenseQuery(statusQuery)
  const canRegister = status.sign_up !== "closed"
  return (
    <div className="main grid gap-12 md:pt-20">
      <div className="grid max-w-[44rem] gap-4">
        <h1 className="text-28 tracking-[-0.021em] md:text-40 md:tracking-[-0.026em]">{t("title")}</h1>
        <p className="max-w-[60ch] text-16 text-ink-2">{t("text")}</p>
        <div className="mt-2 flex flex-wrap gap-2">
          {isSignedIn() ? (
            <ButtonLink look="primary" size="lg" to="/console">
              {t("console")}
            </ButtonLink>
          ) : (
            <ButtonLink look="primary" size="lg" to={canRegister ? "/register" : "/sign-in"}>
              {canRegister ? t("start") : t("signIn")}
            </ButtonLink>
          )}
          <ButtonLink size="lg" to="/pricing">
            {t("prices")}
          </ButtonLink>
        </div>
      </div>
      <div className="grid gap-10 lg:grid-cols-2">
        <StartCode />
        <FewRates />
      </div>
      <dl className="grid gap-6 md:grid-cols-3 md:gap-10">
        {(["p1", "p2", "p3"] as const).map((point) => (
          <div key={point} className="border-t-2 border-rule-ink pt-3">
            <dt className="font-strong">{t(point)}</dt>
            <dd className="mt-1 text-13 text-ink-2">{t(`${point}t`)}</dd>
          </div>
        ))}
      </dl>
    </div>
  )
}
