import { useMutation, useQueryClient } from "@tanstack/react-query"
import { useBlocker } from "@tanstack/react-router"
import { type FormEvent, useState } from "react"
import { useTranslation } from "react-i18next"
import { api } from "../../api/client"
import { asProblem } from "../../api/problem"
import { useLedger } from "../../components/amount"
import { Button } from "../../components/button"
import { Confirm } from "../../components/confirm"
import { Note } from "../../components/note"
import { useProblemText } from "../../components/problem"
import { say } from "../../components/toast"
import { FieldInput } from "./field-input"
import { History } from "./history"
import { fieldsOf, type Json, meaningOf, type PolicyField, type Raw, rawOf } from "./schema"
import { SecretField } from "./secret-field"
import { usePolicyWords } from "./words"

/** Fields that mean nothing unless another has this value. */
const ONLY_WITH: Record<string, [field: string, value: Raw]> = {
  "signup.proof_of_work_bits": ["challenge", "proof_of_work"],
  "signup.turnstile_site_key": ["challenge", "turnstile"],
  "signup.turnstile_script_url": ["challenge", "turnstile"],
  "signup.turnstile_verify_url": ["challenge", "turnstile"],
  "referral.days": ["condition", "after_days"],
  "referral.first_order_minimum": ["condition", "first_order"],
}

/** A secret that belongs to a topic where a field has this value. */
const SECRETS: Record<string, { field: string; value: Raw; secret: string }> = {
  signup: { field: "challenge", value: "turnstile", secret: "turnstile" },
}

export type PolicyLine = {
  topic: string
  value: Record<string, unknown>
  fields: Record<string, unknown>
}

async function putPolicy(topic: string, value: Record<string, Json>): Promise<void> {
  // Each topic has an address of its own; which one is only known here, at run time.
  const path = `/api/v1/admin/policies/${topic}` as "/api/v1/admin/policies/signup"
  await api().PUT(path, { body: value })
}

/** One topic: its fields, what was changed and not saved, and what it said before. */
export function PolicyForm({ line }: { line: PolicyLine }) {
  const { t } = useTranslation(["policies", "common"])
  const words = usePolicyWords()
  const textOf = useProblemText()
  const queries = useQueryClient()
  const { unit } = useLedger()
  const fields = fieldsOf(line.fields)
  const [draft, setDraft] = useState<Record<string, Raw>>({})
  const [wasSent, setSent] = useState(false)
  const stored = (name: string) => {
    const field = fields.find((one) => one.name === name)
    return field ? rawOf(field, (line.value[name] ?? null) as Json, unit) : ""
  }
  const changed = Object.keys(draft).filter((name) => draft[name] !== stored(name))
  const values = fields.map((field) => {
    const raw = draft[field.name] ?? stored(field.name)
    return { field, raw, value: meaningOf(field, raw, unit) }
  })
  const save = useMutation({
    mutationFn: () =>
      putPolicy(
        line.topic,
        Object.fromEntries(values.map(({ field, value }) => [field.name, value as Json])),
      ),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ["admin", "policies"] })
      await queries.invalidateQueries({ queryKey: ["status"] })
      setDraft({})
      setSent(false)
      say({ tone: "good", title: t("saved", { topic: words.topic(line.topic) }) })
    },
  })
  const isShown = ({ field }: { field: PolicyField }) => {
    const only = ONLY_WITH[`${line.topic}.${field.name}`]
    return !only || values.some((one) => one.field.name === only[0] && one.raw === only[1])
  }
  const keeps = SECRETS[line.topic]
  const secret =
    values.some((one) => one.field.name === keeps?.field && one.raw === keeps.value) && keeps?.secret
  const isDirty = changed.length > 0
  const blocker = useBlocker({
    shouldBlockFn: () => true,
    enableBeforeUnload: () => isDirty,
    disabled: !isDirty,
    withResolver: true,
  })
  const refusedAt = save.error ? String(asProblem(save.error).facts.field ?? "") : ""
  const isAt = (name: string) =>
    refusedAt === name || refusedAt.startsWith(`${name}[`) || refusedAt.startsWith(`${name}.`)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    setSent(true)
    if (values.every(({ value }) => value !== undefined) && !save.isPending) save.mutate()
  }
  return (
    <div className="grid min-w-0 gap-8">
      <form
        className="grid max-w-[36rem] gap-5"
        onSubmit={submit}
        noValidate
        aria-label={words.topic(line.topic)}
      >
        <div>
          <h2 className="text-16">{words.topic(line.topic)}</h2>
          <p className="text-ink-2">{words.topicText(line.topic)}</p>
        </div>
        {values.filter(isShown).map(({ field, raw, value }) => (
          <FieldInput
            key={field.name}
            topic={line.topic}
            field={field}
            raw={raw}
            error={
              save.error && isAt(field.name)
                ? textOf(save.error)
                : wasSent && value === undefined
                  ? t("bad")
                  : null
            }
            onRaw={(next) => {
              if (save.error) save.reset()
              setDraft((before) => ({ ...before, [field.name]: next }))
            }}
          />
        ))}
        {secret && <SecretField name={secret} />}
        {save.error && !fields.some(({ name }) => isAt(name)) && <Note tone="bad">{textOf(save.error)}</Note>}
        <div className="sticky bottom-0 flex flex-wrap items-center gap-3 border-rule-2 border-t bg-paper py-3">
          <Button type="submit" look="primary" disabled={!isDirty} isBusy={save.isPending}>
            {t("save")}
          </Button>
          <Button disabled={!isDirty || save.isPending} onClick={() => setDraft({})}>
            {t("discard")}
          </Button>
          <span className="text-13 text-ink-3" aria-live="polite">
            {isDirty && t("unsaved", { count: changed.length })}
          </span>
        </div>
      </form>
      <History topic={line.topic} isDirty={isDirty} />
      <Confirm
        isOpen={blocker.status === "blocked"}
        onClose={() => blocker.reset?.()}
        title={t("leaveTitle")}
        text={t("leaveText")}
        action={t("leave")}
        onConfirm={async () => blocker.proceed?.()}
      />
    </div>
  )
}
