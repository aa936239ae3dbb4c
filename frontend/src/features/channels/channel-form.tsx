import { useMutation } from "@tanstack/react-query"
import { Link, useBlocker, useNavigate } from "@tanstack/react-router"
import { ArrowLeft } from "lucide-react"
import { type FormEvent, useRef, useState } from "react"
import { useTranslation } from "react-i18next"
import type { Channel, Provider } from "../../api/types"
import { Button } from "../../components/button"
import { Switch } from "../../components/choice"
import { Dialog } from "../../components/dialog"
import { PageHead } from "../../components/page"
import { useProblemText } from "../../components/problem"
import { AddressPart } from "./address-part"
import { BehaviourPart } from "./behaviour-part"
import { useChannelActs } from "./channel-acts"
import { CredentialsPart } from "./credentials-part"
import { draftOf, emptyFields, type Fields, fieldsOf, type Mistake, mistakes } from "./fields"
import { Health } from "./health"
import { ModelsPart } from "./models-part"
import { RoutingPart } from "./routing-part"
import { RulesPart } from "./rules-part"
import { TestsPart } from "./tests-part"
import "./channels.css"

/** What was typed, whether it differs from what is stored, and what is wrong with it. */
function useFields(channel: Channel | null, providers: Provider[]) {
  const [stored, setStored] = useState<Fields>(() => {
    if (channel) return fieldsOf(channel)
    const fields = emptyFields()
    const baseUrl = providers.find(({ name }) => name === fields.provider)?.base_url ?? ""
    return { ...fields, baseUrl }
  })
  const [fields, setFields] = useState<Fields>(stored)
  const [wrong, setWrong] = useState<Mistake[]>([])
  const change = (part: Partial<Fields>) => {
    setFields((before) => ({ ...before, ...part }))
    const names: string[] = Object.keys(part).map((name) =>
      name === "body" || name === "headers" ? "rules" : name,
    )
    setWrong((before) => before.filter((name) => !names.includes(name)))
  }
  const reset = (to: Fields) => {
    setStored(to)
    setFields(to)
    setWrong([])
  }
  return { fields, change, wrong, setWrong, reset, stored, isDirty: fields !== stored }
}

/** Asks before what was typed is lost. */
function Leaving({ isDirty, mayLeave }: { isDirty: boolean; mayLeave: { current: boolean } }) {
  const { t } = useTranslation(["channels", "common"])
  const blocker = useBlocker({
    shouldBlockFn: () => isDirty && !mayLeave.current,
    enableBeforeUnload: () => isDirty && !mayLeave.current,
    withResolver: true,
  })
  return (
    <Dialog
      isOpen={blocker.status === "blocked"}
      onClose={() => blocker.reset?.()}
      title={t("leaveTitle")}
      text={t("leaveText")}
      foot={
        <>
          <Button onClick={() => blocker.reset?.()}>{t("common:keep")}</Button>
          <Button look="danger" onClick={() => blocker.proceed?.()}>
            {t("leave")}
          </Button>
        </>
      }
    />
  )
}

/** Everything about a channel on one page; credentials of a stored one change at once, the rest when it is saved. */
export function ChannelForm({ channel, providers }: { channel: Channel | null; providers: Provider[] }) {
  const { t } = useTranslation("channels")
  const navigate = useNavigate()
  const textOf = useProblemText()
  const { save, refresh } = useChannelActs()
  const { fields, change, wrong, setWrong, reset, stored, isDirty } = useFields(channel, providers)
  const mayLeave = useRef(false)
  const provider = providers.find(({ name }) => name === fields.provider)
  const send = useMutation({
    gcTime: 0,
    mutationFn: () => save(channel, draftOf(fields, channel === null)),
    onSuccess: (saved) => {
      if (channel) return reset(fieldsOf(saved))
      mayLeave.current = true
      void navigate({
        to: "/console/admin/channels/$channelId",
        params: { channelId: saved.id },
        replace: true,
      })
    },
  })
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    if (send.isPending) return
    const found = mistakes(fields, provider?.needs_address ?? true)
    setWrong(found)
    if (found.length === 0) return send.mutate()
    const form = event.currentTarget
    requestAnimationFrame(() => form.querySelector<HTMLElement>("[aria-invalid]")?.focus())
  }
  const part = { fields, set: change, wrong }
  const isAddressNew = fields.provider !== stored.provider || fields.baseUrl !== stored.baseUrl
  const problem = send.error && textOf(send.error)
  return (
    <form onSubmit={submit} noValidate>
      <AddressPart {...part} providers={providers} isNew={channel === null} />
      {(provider?.credential !== "none" || (channel?.credentials.length ?? 0) > 0) && (
        <CredentialsPart channel={channel} provider={provider} fields={fields} set={change} />
      )}
      <ModelsPart {...part} channel={channel} isAddressNew={isAddressNew} />
      <RoutingPart {...part} />
      <TestsPart {...part} channel={channel} isDirty={isDirty} onTested={() => void refresh()} />
      <BehaviourPart {...part} channel={channel} />
      <RulesPart {...part} />
      <div className="save-bar">
        <Button type="submit" look="primary" isBusy={send.isPending} disabled={channel !== null && !isDirty}>
          {channel ? t("save") : t("saveNew")}
        </Button>
        {isDirty && channel && (
          <Button look="ghost" onClick={() => reset(stored)}>
            {t("discard")}
          </Button>
        )}
        <span className={`text-13 ${problem || wrong.length > 0 ? "text-bad" : "text-ink-3"}`} role="status">
          {wrong.length > 0
            ? t("wrong", { count: wrong.length })
            : problem || (isDirty ? t("unsaved") : channel && t("allSaved"))}
        </span>
      </div>
      <Leaving isDirty={isDirty} mayLeave={mayLeave} />
    </form>
  )
}

export function ChannelHead({ channel }: { channel: Channel | null }) {
  const { t } = useTranslation("channels")
  const { turn } = useChannelActs()
  return (
    <>
      <Link
        to="/console/admin/channels"
        className="mb-3 inline-flex items-center gap-1.5 text-13 text-ink-2 no-underline!"
      >
        <ArrowLeft className="i i-sm" aria-hidden="true" />
        {t("back")}
      </Link>
      <PageHead title={channel?.name ?? t("newTitle")} text={channel ? undefined : t("newText")}>
        {channel && (
          <div className="flex items-center gap-4">
            <div className="text-right text-13">
              <Health channel={channel} />
            </div>
            <Switch
              label={channel.name}
              isOn={channel.enabled}
              onChange={(enabled) => void turn(channel, enabled)}
            />
          </div>
        )}
      </PageHead>
    </>
  )
}
