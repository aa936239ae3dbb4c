import { Plus, X } from "lucide-react"
import { useTranslation } from "react-i18next"
import { Button } from "../../components/button"
import { Field } from "../../components/field"
import { Input, Select } from "../../components/input"
import type { PartProps } from "./address-part"
import { Part } from "./part"
import { type Action, mistakeIn, newRule, type Rule, type RuleKind, type Streaming } from "./rules"

const ACTIONS: Action[] = ["set", "default", "remove"]
const STREAMING: Streaming[] = ["any", "yes", "no"]

function Conditions({ rule, onChange }: { rule: Rule; onChange: (part: Partial<Rule>) => void }) {
  const { t } = useTranslation("channels")
  return (
    <details className="fold" open={rule.models !== "" || rule.endpoints !== "" || rule.streaming !== "any"}>
      <summary>{t("rules.when")}</summary>
      <div className="mt-3 grid gap-3 sm:grid-cols-3">
        <Field label={t("rules.models")}>
          {(ids) => (
            <Input
              {...ids}
              className="mono"
              placeholder={t("rules.modelsHelp")}
              value={rule.models}
              onChange={(event) => onChange({ models: event.target.value })}
            />
          )}
        </Field>
        <Field label={t("rules.endpoints")}>
          {(ids) => (
            <Input
              {...ids}
              className="mono"
              placeholder={t("rules.endpointsHelp")}
              value={rule.endpoints}
              onChange={(event) => onChange({ endpoints: event.target.value })}
            />
          )}
        </Field>
        <Field label={t("rules.streaming")}>
          {(ids) => (
            <Select
              {...ids}
              value={rule.streaming}
              onChange={(event) => onChange({ streaming: event.target.value as Streaming })}
            >
              {STREAMING.map((one) => (
                <option key={one} value={one}>
                  {t(`rules.${one}`)}
                </option>
              ))}
            </Select>
          )}
        </Field>
      </div>
    </details>
  )
}

function RuleLine({
  rule,
  kind,
  nth,
  isShown,
  onChange,
  onDrop,
}: {
  rule: Rule
  kind: RuleKind
  nth: number
  /** Whether mistakes are told yet. */
  isShown: boolean
  onChange: (part: Partial<Rule>) => void
  onDrop: () => void
}) {
  const { t } = useTranslation("channels")
  const mistake = isShown ? mistakeIn(rule, kind) : null
  const valueBad = t(kind === "body" ? "rules.valueBad" : "rules.headerValueBad")
  return (
    <fieldset className="rule-line" aria-label={t("rules.rule", { n: nth })}>
      <div className="grid items-start gap-3 grid-cols-[minmax(0,1fr)_auto] sm:grid-cols-[150px_minmax(0,1fr)_minmax(0,1fr)_auto]">
        <Field label={t("rules.action")}>
          {(ids) => (
            <Select
              {...ids}
              value={rule.action}
              onChange={(event) => onChange({ action: event.target.value as Action })}
            >
              {ACTIONS.map((action) => (
                <option key={action} value={action}>
                  {t(`rules.${action}`)}
                </option>
              ))}
            </Select>
          )}
        </Field>
        <Field
          className="max-sm:order-2 max-sm:col-span-2"
          label={t(kind === "body" ? "rules.path" : "rules.header")}
          error={mistake === "target" ? t("rules.targetBad") : null}
        >
          {(ids) => (
            <Input
              {...ids}
              className="mono"
              spellCheck={false}
              maxLength={200}
              placeholder={kind === "body" ? t("rules.pathHelp") : "x-…"}
              value={rule.target}
              onChange={(event) => onChange({ target: event.target.value })}
            />
          )}
        </Field>
        {rule.action === "remove" ? (
          <span className="max-sm:hidden" />
        ) : (
          <Field
            className="max-sm:order-2 max-sm:col-span-2"
            label={t("rules.value")}
            error={mistake === "value" ? valueBad : null}
          >
            {(ids) => (
              <Input
                {...ids}
                className="mono"
                spellCheck={false}
                placeholder={kind === "body" ? t("rules.valueJson") : ""}
                value={rule.value}
                onChange={(event) => onChange({ value: event.target.value })}
              />
            )}
          </Field>
        )}
        <Button className="mt-[26px]" look="ghost" isIcon aria-label={t("rules.drop")} onClick={onDrop}>
          <X className="i" aria-hidden="true" />
        </Button>
      </div>
      <Conditions rule={rule} onChange={onChange} />
    </fieldset>
  )
}

/** Changes of every request that goes there, in their order, each with its conditions. */
export function RulesPart({ fields, set, wrong }: PartProps) {
  const { t } = useTranslation("channels")
  const change = (kind: RuleKind, id: number, part: Partial<Rule>) =>
    set({ [kind]: fields[kind].map((rule) => (rule.id === id ? { ...rule, ...part } : rule)) })
  return (
    <Part title={t("rules.title")} text={t("rules.text")}>
      {(["body", "headers"] as const)
        .filter((kind) => fields[kind].length > 0)
        .map((kind) => (
          <div key={kind} className="grid gap-3">
            <h3 className="legend">{t(`rules.${kind}`)}</h3>
            {fields[kind].map((rule, index) => (
              <RuleLine
                key={rule.id}
                rule={rule}
                kind={kind}
                nth={index + 1}
                isShown={wrong.includes("rules")}
                onChange={(part) => change(kind, rule.id, part)}
                onDrop={() => set({ [kind]: fields[kind].filter(({ id }) => id !== rule.id) })}
              />
            ))}
          </div>
        ))}
      <div className="flex flex-wrap gap-2">
        <Button onClick={() => set({ body: [...fields.body, newRule()] })}>
          <Plus className="i" aria-hidden="true" />
          {t("rules.addBody")}
        </Button>
        <Button look="ghost" onClick={() => set({ headers: [...fields.headers, newRule()] })}>
          <Plus className="i" aria-hidden="true" />
          {t("rules.addHeader")}
        </Button>
      </div>
    </Part>
  )
}
