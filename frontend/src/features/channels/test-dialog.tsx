import { useMutation } from "@tanstack/react-query"
import { useEffect, useRef, useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import type { Channel, ChannelTest, ProbeWish } from "../../api/types"
import { Button } from "../../components/button"
import { Dialog } from "../../components/dialog"
import { Field } from "../../components/field"
import { Select } from "../../components/input"
import { Note } from "../../components/note"
import { useProblemText } from "../../components/problem"
import { State } from "../../components/state"
import { countText } from "../../format/quota"
import { useCredentialName } from "./channel-acts"

type Endpoint = NonNullable<NonNullable<ProbeWish>["endpoint"]>
const ENDPOINTS: { value: Endpoint; word: "chat" | "completions" | "embeddings" }[] = [
  { value: "chat.completions", word: "chat" },
  { value: "completions", word: "completions" },
  { value: "embeddings", word: "embeddings" },
]

/** What each credential's call came to. */
function Results({ channel, test }: { channel: Channel; test: ChannelTest }) {
  const { t } = useTranslation("channels")
  const nameOf = useCredentialName()
  const isOff = (id: string | null) =>
    channel.credentials.some((credential) => credential.id === id && !credential.enabled)
  return (
    <div className="grid gap-2" aria-live="polite">
      <ul className="well divide-y divide-rule">
        {test.results.map((result) => (
          <li key={result.credential_id ?? "none"} className="grid gap-1 px-3 py-2.5">
            <span className="flex flex-wrap items-center gap-x-3 gap-y-1">
              <State tone={result.ok ? "good" : "bad"}>{t(result.ok ? "tests.works" : "tests.fails")}</State>
              <span className="mono text-13">
                {result.credential_id ? nameOf(result) : t("tests.channelItself")}
              </span>
              {isOff(result.credential_id) && (
                <span className="text-12 text-ink-3">{t("tests.credentialOff")}</span>
              )}
              <span className="fig ml-auto text-12 text-ink-2">
                {result.status ?? t("tests.noAnswer")} ·{" "}
                {t("tests.latency", { ms: countText(result.latency_ms) })}
              </span>
            </span>
            {result.error && <span className="text-12 text-ink-2 wrap-anywhere">{result.error}</span>}
          </li>
        ))}
      </ul>
      <p className="help wrap-anywhere">
        {t("tests.asked", { upstream: test.upstream_model, endpoint: test.endpoint })}
      </p>
    </div>
  )
}

/** Real calls with every credential: made when it opens, and as often as asked. */
export function TestDialog({
  channel,
  isOpen,
  onClose,
  onGone,
}: {
  channel: Channel
  isOpen: boolean
  onClose: () => void
  onGone: () => void
}) {
  const { t } = useTranslation(["channels", "common"])
  const textOf = useProblemText()
  const models = Object.keys(channel.models).sort()
  const [model, setModel] = useState(channel.options.test_model ?? "")
  const [endpoint, setEndpoint] = useState<Endpoint | "">("")
  const test = useMutation({
    gcTime: 0,
    mutationFn: (wish: ProbeWish) =>
      body(
        api().POST("/api/v1/admin/channels/{channel_id}/test", {
          params: { path: { channel_id: channel.id } },
          body: wish,
        }),
      ),
  })
  const run = () =>
    test.mutate({ all: true, ...(model !== "" && { model }), ...(endpoint !== "" && { endpoint }) })
  const first = useRef(run)
  useEffect(() => first.current(), [])
  return (
    <Dialog
      isOpen={isOpen}
      onClose={onClose}
      onGone={onGone}
      title={t("tests.title2", { name: channel.name })}
      text={t("tests.text")}
      foot={
        <>
          <Button onClick={onClose}>{t("common:close")}</Button>
          <Button look="primary" isBusy={test.isPending} onClick={run}>
            {t("tests.again")}
          </Button>
        </>
      }
    >
      <div className="grid gap-4">
        <div className="grid gap-4 sm:grid-cols-2">
          <Field label={t("tests.model")}>
            {(ids) => (
              <Select {...ids} value={model} onChange={(event) => setModel(event.target.value)}>
                <option value="">{t("tests.first")}</option>
                {models.map((name) => (
                  <option key={name}>{name}</option>
                ))}
              </Select>
            )}
          </Field>
          <Field label={t("tests.endpoint")}>
            {(ids) => (
              <Select
                {...ids}
                value={endpoint}
                onChange={(event) => setEndpoint(event.target.value as Endpoint | "")}
              >
                <option value="">{t("tests.byName")}</option>
                {ENDPOINTS.map(({ value, word }) => (
                  <option key={value} value={value}>
                    {t(`tests.${word}`)}
                  </option>
                ))}
              </Select>
            )}
          </Field>
        </div>
        {test.isPending && <p className="help">{t("tests.running")}</p>}
        {test.error && <Note tone="bad">{textOf(test.error)}</Note>}
        {test.data && !test.isPending && <Results channel={channel} test={test.data} />}
      </div>
    </Dialog>
  )
}
