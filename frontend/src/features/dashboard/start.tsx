import { useQuery } from "@tanstack/react-query"
import { Check } from "lucide-react"
import { type ReactNode, useState } from "react"
import { useTranslation } from "react-i18next"
import { pricingQuery } from "../../api/queries"
import { gatewayUrl } from "../../api/runtime"
import { Amount } from "../../components/amount"
import { Button, ButtonLink } from "../../components/button"
import { CodeBlock } from "../../components/code"
import { sampleCurl } from "../../format/curl"
import { sampleCostQuery } from "./queries"
import { type Facts, isActive, STEPS, type Step, stepsDone } from "./steps"

const HIDDEN = "airouter.start_hidden"
const SAMPLE = { input: 10, output: 10 }

function useHidden(): [boolean, () => void] {
  const [isHidden, setHidden] = useState(() => {
    try {
      return localStorage.getItem(HIDDEN) !== null
    } catch {
      return false
    }
  })
  const hide = () => {
    setHidden(true)
    try {
      localStorage.setItem(HIDDEN, "1")
    } catch {
      // Storage may be forbidden; it then stays hidden as long as the page.
    }
  }
  return [isHidden, hide]
}

/** A call that works when pasted, and what it will cost. */
function SampleCall({ model: wanted }: { model: string | undefined }) {
  const { t } = useTranslation("dashboard")
  const { data: pricing } = useQuery(pricingQuery(null))
  const models = pricing?.models.filter(({ rates }) => rates.input && rates.output) ?? []
  const model = (models.find((option) => option.model === wanted) ?? models[0])?.model
  const { data: estimate } = useQuery(sampleCostQuery(model, SAMPLE))
  if (!model) return null
  return (
    <>
      <CodeBlock label={t("start.code")} code={sampleCurl(gatewayUrl(), model)} />
      {estimate && (
        <p className="help">
          {t("start.cost", SAMPLE)} <Amount quota={estimate.cost} as="cost" withSign />.
        </p>
      )}
    </>
  )
}

function Current({ step, number, children }: { step: Step; number: number; children?: ReactNode }) {
  const { t } = useTranslation("dashboard")
  return (
    <li className="now" aria-current="step">
      <span className="n">{number}</span>
      <div>
        <b className="font-label">{t(`start.${step}.title`)}</b>
        <p className="text-ink-2">{t(`start.${step}.text`)}</p>
        {children}
      </div>
    </li>
  )
}

function Help({ step, facts, model }: { step: Step; facts: Facts; model: string | undefined }) {
  const { t } = useTranslation(["dashboard", "common"])
  const button = (child: ReactNode) => <div className="mt-1 flex gap-2">{child}</div>
  if (step === "quota")
    return button(
      <ButtonLink size="sm" to="/console/topup">
        {t("common:nav.topup")}
      </ButtonLink>,
    )
  if (step === "key")
    return button(
      <ButtonLink size="sm" to="/console/keys" search={{ new: true }}>
        {t("common:command.newKey")}
      </ButtonLink>,
    )
  if (step === "call") return <SampleCall model={model} />
  if (step === "receipt")
    return (
      <>
        <SampleCall model={model} />
        {button(
          <ButtonLink size="sm" to="/console/usage">
            {t("start.openUsage")}
          </ButtonLink>,
        )}
      </>
    )
  const without = facts.keys.filter((key) => isActive(key) && key.spend_limit === null)
  return (
    <>
      <p className="text-ink-2">
        {t("start.without", { count: without.length, name: without[0]?.name ?? "" })}
      </p>
      {button(
        <ButtonLink size="sm" to="/console/keys">
          {t("start.setLimits")}
        </ButtonLink>,
      )}
    </>
  )
}

/** The way to the first receipt. It goes when all is done, or when it is hidden. */
export function Start({ facts, model }: { facts: Facts; model: string | undefined }) {
  const { t } = useTranslation("dashboard")
  const [isHidden, hide] = useHidden()
  const done = stepsDone(facts)
  const count = STEPS.filter((step) => done[step]).length
  const next = STEPS.find((step) => !done[step])
  if (isHidden || next === undefined) return null
  return (
    <section className="sec start" aria-labelledby="start">
      <div className="sec-head">
        <h2 id="start">{t("start.title")}</h2>
        <span className="text-12 text-ink-3 fig">{t("start.done", { count, all: STEPS.length })}</span>
        <span className="ml-auto">
          <Button look="ghost" size="sm" onClick={hide}>
            {t("start.hide")}
          </Button>
        </span>
      </div>
      <ol>
        {STEPS.map((step, index) =>
          done[step] ? (
            <li key={step} className="done">
              <Check className="i" aria-hidden="true" />
              <span>{t(`start.${step}.title`)}</span>
              <span className="sr-only">{t("start.isDone")}</span>
            </li>
          ) : step === next ? (
            <Current key={step} step={step} number={index + 1}>
              <Help step={step} facts={facts} model={model} />
            </Current>
          ) : (
            <li key={step}>
              <span className="n">{index + 1}</span>
              <span className="font-label">{t(`start.${step}.title`)}</span>
            </li>
          ),
        )}
      </ol>
    </section>
  )
}
