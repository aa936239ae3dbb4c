import { useQuery } from "@tanstack/react-query"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import { groupsQuery } from "../../api/operator-queries"
import type { Channel, ChannelDraft } from "../../api/types"
import { Field } from "../../components/field"
import { FormDialog } from "../../components/form-dialog"
import { Input, Select, TextArea } from "../../components/input"
import { PickMany } from "../../components/pick-many"
import { draftOf, EMPTY, type FieldError, type Fields, fieldsOf, mistakes } from "./channel-fields"

const PROVIDERS = [
  "openai",
  "anthropic",
  "gemini",
  "openai-compatible",
  "cerebras",
  "deepseek",
  "fireworks",
  "groq",
  "mistral",
  "moonshot",
  "openrouter",
  "perplexity",
  "together",
  "xai",
  "zai",
  "scripted",
]
/** Vendors whose own SDK takes an address without a version. */
const ADDRESSES: Record<string, string> = {
  anthropic: "https://api.anthropic.com",
  gemini: "https://generativelanguage.googleapis.com",
}

/** A channel: for a new one, or (`edited`) one there is. Credentials go in and never come out. */
export function ChannelForm({
  isOpen,
  edited,
  onClose,
  onGone,
  onSubmit,
}: {
  isOpen: boolean
  edited: Channel | null
  onClose: () => void
  onGone: () => void
  onSubmit: (draft: ChannelDraft) => Promise<unknown>
}) {
  const { t } = useTranslation("admin")
  const groups = useQuery(groupsQuery)
  const [fields, setFields] = useState<Fields>(edited ? fieldsOf(edited) : EMPTY)
  const [wrong, setWrong] = useState<FieldError[]>([])
  const set = <Name extends keyof Fields>(name: Name, value: Fields[Name]) => {
    setFields((before) => ({ ...before, [name]: value }))
    setWrong((before) => before.filter((field) => field !== name))
  }
  const errorOf = (name: FieldError, text: string) => (wrong.includes(name) ? text : null)
  const submit = () => {
    const found = mistakes(fields)
    setWrong(found)
    return found.length === 0 ? onSubmit(draftOf(fields)) : null
  }
  const providers = PROVIDERS.includes(fields.provider) ? PROVIDERS : [fields.provider, ...PROVIDERS]
  const isScripted = fields.provider === "scripted"
  return (
    <FormDialog
      isOpen={isOpen}
      onClose={onClose}
      onGone={onGone}
      title={edited ? t("editTitle", { name: edited.name }) : t("channels.new")}
      text={t("channels.newText")}
      action={edited ? t("save") : t("channels.create")}
      onSubmit={submit}
    >
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label={t("channels.name")} error={errorOf("name", t("nameMissing"))}>
          {(ids) => (
            <Input
              {...ids}
              autoFocus
              maxLength={120}
              value={fields.name}
              onChange={(event) => set("name", event.target.value)}
            />
          )}
        </Field>
        <Field label={t("channels.provider")}>
          {(ids) => (
            <Select
              {...ids}
              value={fields.provider}
              onChange={(event) => set("provider", event.target.value)}
            >
              {providers.map((provider) => (
                <option key={provider}>{provider}</option>
              ))}
            </Select>
          )}
        </Field>
      </div>
      {!isScripted && (
        <>
          <Field
            label={t("channels.baseUrl")}
            help={t("channels.baseUrlHelp")}
            error={errorOf("baseUrl", t("channels.baseUrlBad"))}
          >
            {(ids) => (
              <Input
                {...ids}
                className="mono"
                inputMode="url"
                placeholder={ADDRESSES[fields.provider] ?? "https://…/v1"}
                value={fields.baseUrl}
                onChange={(event) => set("baseUrl", event.target.value)}
              />
            )}
          </Field>
          <Field
            label={t("channels.credentials")}
            help={
              edited
                ? t("channels.credentialsKept", {
                    hints: edited.credentials.map(({ hint }) => hint).join(", "),
                  })
                : t("channels.credentialsHelp")
            }
          >
            {(ids) => (
              <TextArea
                {...ids}
                className="mono"
                rows={2}
                autoComplete="off"
                spellCheck={false}
                value={fields.credentials}
                onChange={(event) => set("credentials", event.target.value)}
              />
            )}
          </Field>
        </>
      )}
      <Field
        label={t("channels.models")}
        help={t("channels.modelsHelp")}
        error={errorOf("models", t("channels.modelsBad"))}
      >
        {(ids) => (
          <TextArea
            {...ids}
            className="mono"
            rows={4}
            spellCheck={false}
            value={fields.models}
            onChange={(event) => set("models", event.target.value)}
          />
        )}
      </Field>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field
          label={t("channels.priority")}
          help={t("channels.priorityHelp")}
          error={errorOf("priority", t("wholeNumber"))}
        >
          {(ids) => (
            <Input
              {...ids}
              className="num"
              inputMode="numeric"
              value={fields.priority}
              onChange={(event) => set("priority", event.target.value)}
            />
          )}
        </Field>
        <Field
          label={t("channels.weight")}
          help={t("channels.weightHelp")}
          error={errorOf("weight", t("wholeNumber"))}
        >
          {(ids) => (
            <Input
              {...ids}
              className="num"
              inputMode="numeric"
              value={fields.weight}
              onChange={(event) => set("weight", event.target.value)}
            />
          )}
        </Field>
      </div>
      <PickMany
        label={t("channels.groups")}
        help={t("channels.groupsHelp")}
        options={groups.data?.map(({ name }) => name) ?? []}
        chosen={fields.groups}
        onChange={(names) => set("groups", names)}
      />
    </FormDialog>
  )
}
