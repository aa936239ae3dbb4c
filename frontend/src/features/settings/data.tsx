import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query"
import { Download } from "lucide-react"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { apiOrigin } from "../../api/runtime"
import { Button } from "../../components/button"
import { Check } from "../../components/choice"
import { FormDialog } from "../../components/form-dialog"
import { Note } from "../../components/note"
import { Block } from "../../components/page"
import { Failed, useProblemText } from "../../components/problem"
import { say } from "../../components/toast"
import { When } from "../../components/when"

const LOOK_AGAIN_MS = 2_000
const EXPORT = ["me", "export"]
const DELETION = ["me", "deletion"]

function useExport() {
  return useQuery({
    queryKey: EXPORT,
    queryFn: ({ signal }) => body(api().GET("/api/v1/me/export", { signal })),
    // It is put together in the background; look until it is there.
    refetchInterval: ({ state }) => (state.data?.export?.status === "pending" ? LOOK_AGAIN_MS : false),
  })
}

function Copy() {
  const { t } = useTranslation("settings")
  const queries = useQueryClient()
  const textOf = useProblemText()
  const state = useExport()
  const bad = (error: unknown) => say({ tone: "bad", title: t("data.failed"), text: textOf(error) })
  const ask = useMutation({
    mutationFn: () => body(api().POST("/api/v1/me/export")),
    onSuccess: () => queries.invalidateQueries({ queryKey: EXPORT }),
    onError: bad,
  })
  const fetchIt = useMutation({
    gcTime: 0,
    mutationFn: () => body(api().POST("/api/v1/me/export/link")),
    onSuccess: ({ url }) => {
      if (url) location.assign(new URL(url, apiOrigin()).href)
    },
    onError: bad,
  })
  const found = state.data?.export
  const isPending = found?.status === "pending"
  return (
    <Block title={t("data.copy")}>
      <p className="text-13 text-ink-3">{t("data.copyText")}</p>
      {state.error && <Failed error={state.error} onRetry={() => void state.refetch()} />}
      {isPending && <Note>{t("data.pending")}</Note>}
      {found?.status === "ready" && found.expires_at && (
        <Note tone="good">
          {t("data.ready")} <When at={found.expires_at} />
        </Note>
      )}
      <div className="flex flex-wrap gap-3">
        {found?.status === "ready" && (
          <Button look="primary" isBusy={fetchIt.isPending} onClick={() => fetchIt.mutate()}>
            <Download className="i" aria-hidden="true" />
            {t("data.download")}
          </Button>
        )}
        <Button disabled={isPending || !state.data} isBusy={ask.isPending} onClick={() => ask.mutate()}>
          {t(found?.status === "ready" ? "data.askAgain" : "data.ask")}
        </Button>
      </div>
    </Block>
  )
}

function LeaveDialog({ isOpen, onClose }: { isOpen: boolean; onClose: () => void }) {
  const { t } = useTranslation("settings")
  const queries = useQueryClient()
  const [endKeys, setEndKeys] = useState(false)
  const leave = async () => {
    await body(api().POST("/api/v1/me/deletion", { body: { end_keys_now: endKeys } }))
    await queries.invalidateQueries({ queryKey: DELETION })
    await queries.invalidateQueries({ queryKey: ["keys"] })
    say({ tone: "good", title: t("data.asked") })
  }
  return (
    <FormDialog
      isOpen={isOpen}
      onClose={onClose}
      title={t("data.leaveTitle")}
      text={t("data.leaveWarning")}
      action={t("data.leave")}
      onSubmit={leave}
    >
      <Check isOn={endKeys} onChange={setEndKeys}>
        {t("data.endKeys")}
      </Check>
    </FormDialog>
  )
}

function Leave() {
  const { t } = useTranslation("settings")
  const queries = useQueryClient()
  const textOf = useProblemText()
  const [isAsking, setIsAsking] = useState(false)
  const state = useQuery({
    queryKey: DELETION,
    queryFn: ({ signal }) => body(api().GET("/api/v1/me/deletion", { signal })),
  })
  const stay = useMutation({
    mutationFn: () => body(api().DELETE("/api/v1/me/deletion")),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: DELETION })
      say({ tone: "good", title: t("data.stayed") })
    },
    onError: (error) => say({ tone: "bad", title: t("data.failed"), text: textOf(error) }),
  })
  const deletion = state.data?.deletion
  return (
    <Block title={t("data.leaveBlock")}>
      <p className="text-13 text-ink-3">{t("data.leaveText")}</p>
      {state.error && <Failed error={state.error} onRetry={() => void state.refetch()} />}
      {deletion ? (
        <>
          <Note tone="warn">
            {t(deletion.is_by_operator ? "data.dueByOperator" : "data.due")}{" "}
            <When at={deletion.due_at} as="time" />
          </Note>
          <div>
            <Button look="primary" isBusy={stay.isPending} onClick={() => stay.mutate()}>
              {t("data.stay")}
            </Button>
          </div>
        </>
      ) : (
        <div>
          <Button look="danger" disabled={!state.data} onClick={() => setIsAsking(true)}>
            {t("data.leaveAsk")}
          </Button>
        </div>
      )}
      <LeaveDialog isOpen={isAsking} onClose={() => setIsAsking(false)} />
    </Block>
  )
}

/** A copy of what is held about one, and the way out. */
export default function Data() {
  return (
    <div className="grid items-start gap-10 lg:grid-cols-2 lg:gap-12">
      <Copy />
      <Leave />
    </div>
  )
}
