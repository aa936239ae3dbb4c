import { useQuery } from "@tanstack/react-query"
import { Search } from "lucide-react"
import { useId, useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import type { Channel, Discovery } from "../../api/types"
import { Button } from "../../components/button"
import { Check } from "../../components/choice"
import { Dialog } from "../../components/dialog"
import { Input } from "../../components/input"
import { Note } from "../../components/note"
import { useProblemText } from "../../components/problem"
import { Tag } from "../../components/state"
import type { Fields } from "./fields"

type Found = Discovery["models"][number]

/** A saved channel is asked with what is stored; one to be with what was typed. */
function ask(channel: Channel | null, fields: Fields, signal: AbortSignal): Promise<Discovery> {
  if (channel)
    return body(
      api().POST("/api/v1/admin/channels/{channel_id}/discover", {
        params: { path: { channel_id: channel.id } },
        signal,
      }),
    )
  const credential = fields.credentials.split("\n").find((line) => line.trim() !== "")
  return body(
    api().POST("/api/v1/admin/channels/discover", {
      body: {
        provider: fields.provider,
        base_url: fields.baseUrl.trim(),
        ...(credential && { credential: credential.trim() }),
        ...(fields.proxy.trim() !== "" && { proxy: fields.proxy.trim() }),
      },
      signal,
    }),
  )
}

function Facts({ model, served }: { model: Found; served: string[] }) {
  const { t } = useTranslation("channels")
  const others = served.filter((name) => name !== model.name)
  return (
    <span className="ml-auto flex shrink-0 gap-1.5">
      {served.length > 0 && (
        <Tag>{others.length > 0 ? t("model.servedAs", { names: others.join(", ") }) : t("model.served")}</Tag>
      )}
      {model.is_model && (
        <Tag tone={model.is_priced ? "good" : "warn"}>
          {t(model.is_priced ? "model.priced" : "model.unpriced")}
        </Tag>
      )}
    </span>
  )
}

function Picker({
  models,
  fields,
  chosen,
  onChoose,
}: {
  models: Found[]
  fields: Fields
  chosen: string[]
  onChoose: (names: string[]) => void
}) {
  const { t } = useTranslation("channels")
  const [text, setText] = useState("")
  const words = text.toLowerCase().split(/\s+/)
  const shown = models.filter(({ name }) => words.every((word) => name.toLowerCase().includes(word)))
  const servedAs = (name: string) =>
    fields.models
      .filter((line) => (line.upstream.trim() || line.name.trim()) === name)
      .map((line) => line.name)
  const free = shown.filter(({ name }) => servedAs(name).length === 0).map(({ name }) => name)
  const isAll = free.length > 0 && free.every((name) => chosen.includes(name))
  return (
    <div className="well">
      <Input
        boxClass="bare"
        type="search"
        autoFocus
        aria-label={t("model.search")}
        placeholder={t("model.search")}
        value={text}
        onChange={(event) => setText(event.target.value)}
        before={<Search className="i i-sm" aria-hidden="true" />}
      />
      <div className="found grid gap-2 p-3">
        {free.length > 1 && (
          <Check
            isOn={isAll}
            onChange={(isOn) =>
              onChoose(
                isOn ? [...new Set([...chosen, ...free])] : chosen.filter((name) => !free.includes(name)),
              )
            }
          >
            <b className="font-label">{t("model.pickAll", { count: free.length })}</b>
          </Check>
        )}
        {shown.length === 0 && <p className="help">{t("model.noneFit")}</p>}
        {shown.map((model) => {
          const served = servedAs(model.name)
          return (
            <div key={model.name} className="flex flex-wrap items-start gap-2">
              {served.length > 0 ? (
                <span className="mono text-13 wrap-anywhere text-ink-3 pl-6">{model.name}</span>
              ) : (
                <Check
                  isOn={chosen.includes(model.name)}
                  onChange={(isOn) =>
                    onChoose(isOn ? [...chosen, model.name] : chosen.filter((name) => name !== model.name))
                  }
                >
                  <span className="mono wrap-anywhere">{model.name}</span>
                </Check>
              )}
              <Facts model={model} served={served} />
            </div>
          )
        })}
      </div>
    </div>
  )
}

/** The provider's own list of models, to pick from. */
export function DiscoverDialog({
  isOpen,
  fields,
  channel,
  isAddressNew,
  onClose,
  onGone,
  onPick,
}: {
  isOpen: boolean
  fields: Fields
  channel: Channel | null
  /** The address was changed and not saved: what is stored must not be sent there. */
  isAddressNew: boolean
  onClose: () => void
  onGone: () => void
  onPick: (names: string[]) => void
}) {
  const { t } = useTranslation(["channels", "common"])
  const textOf = useProblemText()
  const once = useId()
  const [chosen, setChosen] = useState<string[]>([])
  const mustSave = channel !== null && isAddressNew
  const found = useQuery({
    queryKey: ["admin", "discovery", once],
    queryFn: ({ signal }) => ask(channel, fields, signal),
    enabled: !mustSave,
    retry: false,
    gcTime: 0,
    staleTime: Number.POSITIVE_INFINITY,
  })
  const models = found.data?.models ?? []
  return (
    <Dialog
      isOpen={isOpen}
      onClose={onClose}
      onGone={onGone}
      title={t("model.findTitle", { provider: fields.name.trim() || fields.provider })}
      text={t("model.findText")}
      foot={
        <>
          <Button onClick={onClose}>{t("common:cancel")}</Button>
          <Button
            look="primary"
            disabled={chosen.length === 0}
            onClick={() => {
              onPick(chosen)
              onClose()
            }}
          >
            {t("model.pick", { count: chosen.length })}
          </Button>
        </>
      }
    >
      <div className="grid gap-3">
        {mustSave && <Note tone="warn">{t("model.saveFirst")}</Note>}
        {found.isFetching && (
          <p className="help" aria-live="polite">
            {t("model.asking")}
          </p>
        )}
        {found.error && <Note tone="bad">{textOf(found.error)}</Note>}
        {found.data?.error && (
          <Note tone="bad">
            {t("model.failed")}: {found.data.error}
          </Note>
        )}
        {found.data && !found.data.error && models.length === 0 && <Note>{t("model.none")}</Note>}
        {models.length > 0 && (
          <>
            {found.data && !found.data.is_complete && <Note tone="warn">{t("model.notWhole")}</Note>}
            <Picker models={models} fields={fields} chosen={chosen} onChoose={setChosen} />
          </>
        )}
      </div>
    </Dialog>
  )
}
