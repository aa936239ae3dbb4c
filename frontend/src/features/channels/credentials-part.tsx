import { Pencil, Plus, Trash2 } from "lucide-react"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import type { Channel, Credential, Provider } from "../../api/types"
import { Button } from "../../components/button"
import { Switch } from "../../components/choice"
import { Confirm } from "../../components/confirm"
import { Field } from "../../components/field"
import { closed, type Open, opened } from "../../components/form-dialog"
import { TextArea } from "../../components/input"
import { useReasonText } from "../../components/reason"
import { State } from "../../components/state"
import { When } from "../../components/when"
import type { Language } from "../../i18n"
import type { PartProps } from "./address-part"
import { useCredentialActs, useCredentialName } from "./channel-acts"
import { CredentialForm } from "./credential-form"
import { Part } from "./part"

/** What a credential of this provider looks like. */
function useForm(provider: Provider | undefined): string {
  const { t, i18n } = useTranslation("channels")
  const hint = provider?.credential_hint[i18n.language as Language]
  return [
    provider?.credential === "optional" && t("cred.optional"),
    provider?.credential === "service_account" && t("cred.serviceAccount"),
    hint && t("cred.looksLike", { hint }),
  ]
    .filter(Boolean)
    .join(" ")
}

function Condition({ credential }: { credential: Credential }) {
  const { t } = useTranslation("channels")
  const reasonText = useReasonText()
  const { enabled, disabled_by, disabled_at, disabled_reason, trouble, last_test } = credential
  const isResting = trouble !== null && trouble.state !== "watched"
  return (
    <>
      {!enabled ? (
        <State tone={disabled_by === "gateway" ? "bad" : "off"}>{t("cred.off")}</State>
      ) : isResting ? (
        <State tone="warn">{t("cred.resting")}</State>
      ) : (
        <State tone="good">{t("cred.inUse")}</State>
      )}
      <span className="block text-12 text-ink-3 wrap-anywhere">
        {!enabled && (
          <>
            {t(disabled_by === "gateway" ? "cred.byGateway" : "cred.byOperator")}{" "}
            {disabled_at && <When at={disabled_at} />}
            {disabled_reason && `: ${disabled_reason}`}
          </>
        )}
        {isResting && reasonText(trouble.reason)}
        {enabled && !isResting && (
          <>
            {t("cred.lastTest")}: {last_test ? <When at={last_test.tested_at} /> : t("cred.never")}
            {last_test && !last_test.ok && `, ${last_test.error ?? last_test.status}`}
          </>
        )}
      </span>
    </>
  )
}

type Act = { kind: "add" } | { kind: "rename" | "remove"; credential: Credential }

/** Each credential with what it is doing; every change holds at once, without saving the page. */
function Stored({ channel, form }: { channel: Channel; form: string }) {
  const { t } = useTranslation("channels")
  const nameOf = useCredentialName()
  const { add, rename, turn, remove } = useCredentialActs(channel)
  const [act, setAct] = useState<Open<Act>>(null)
  const open = (thing: Act) => () => setAct(opened(thing))
  const doing = act?.thing
  return (
    <>
      {channel.credentials.length === 0 ? (
        <p className="help">{t("cred.empty")}</p>
      ) : (
        <ul className="well divide-y divide-rule">
          {channel.credentials.map((credential) => {
            const name = nameOf(credential)
            return (
              <li key={credential.id} className="flex items-center gap-3 px-3 py-2.5">
                <div className="grid min-w-0 flex-1 gap-x-4 gap-y-1 sm:grid-cols-[minmax(0,2fr)_minmax(0,3fr)]">
                  <div className="min-w-0">
                    <span className={`wrap-anywhere ${credential.label ? "font-label" : "mono"}`}>
                      {name}
                    </span>
                    {credential.label && credential.hint && (
                      <span className="mono block text-12 text-ink-3">…{credential.hint}</span>
                    )}
                  </div>
                  <div className="min-w-0 text-13">
                    <Condition credential={credential} />
                  </div>
                </div>
                <Switch
                  label={t("cred.enable", { name })}
                  isOn={credential.enabled}
                  onChange={(enabled) => void turn(credential, enabled)}
                />
                <span className="flex">
                  <Button
                    look="ghost"
                    size="sm"
                    isIcon
                    aria-label={t("cred.rename", { name })}
                    onClick={open({ kind: "rename", credential })}
                  >
                    <Pencil className="i" aria-hidden="true" />
                  </Button>
                  <Button
                    look="ghost"
                    size="sm"
                    isIcon
                    aria-label={t("cred.remove", { name })}
                    onClick={open({ kind: "remove", credential })}
                  >
                    <Trash2 className="i" aria-hidden="true" />
                  </Button>
                </span>
              </li>
            )
          })}
        </ul>
      )}
      <Button className="justify-self-start" onClick={open({ kind: "add" })}>
        <Plus className="i" aria-hidden="true" />
        {t("cred.add")}
      </Button>
      {act && doing && doing.kind !== "remove" && (
        <CredentialForm
          isOpen={act.isOpen}
          credential={doing.kind === "rename" ? doing.credential : null}
          form={form}
          onClose={() => setAct(closed)}
          onGone={() => setAct(null)}
          onAdd={add}
          onRename={rename}
        />
      )}
      {act && doing?.kind === "remove" && (
        <Confirm
          isOpen={act.isOpen}
          onClose={() => setAct(closed)}
          title={t("cred.removeTitle")}
          text={t("cred.removeText", { name: nameOf(doing.credential) })}
          action={t("cred.remove", { name: nameOf(doing.credential) })}
          onConfirm={() => remove(doing.credential)}
        />
      )}
    </>
  )
}

/** The keys for the provider, where it takes any: typed with a new channel, later looked after one by one. */
export function CredentialsPart({
  channel,
  provider,
  fields,
  set,
}: Pick<PartProps, "fields" | "set"> & { channel: Channel | null; provider: Provider | undefined }) {
  const { t } = useTranslation("channels")
  const form = useForm(provider)
  if (provider?.credential === "none" && !channel?.credentials.length) return null
  return (
    <Part title={t("cred.title")} text={t("cred.text")}>
      {channel ? (
        <Stored channel={channel} form={form} />
      ) : (
        <Field label={t("credentials")} help={[t("cred.newHelp"), form].filter(Boolean).join(" ")}>
          {(ids) => (
            <TextArea
              {...ids}
              className="mono"
              rows={2}
              autoComplete="off"
              spellCheck={false}
              value={fields.credentials}
              onChange={(event) => set({ credentials: event.target.value })}
            />
          )}
        </Field>
      )}
    </Part>
  )
}
