import { useQuery } from "@tanstack/react-query"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import type { Act } from "../../api/types"
import { Button } from "../../components/button"
import { Dialog } from "../../components/dialog"
import { Note } from "../../components/note"
import { Failed } from "../../components/problem"
import { When } from "../../components/when"
import { changesOf } from "./changes"

function Value({ text }: { text: string | null }) {
  return text === null ? (
    <span className="text-ink-3">–</span>
  ) : (
    <span className="mono wrap-anywhere">{text}</span>
  )
}

function Changes({ act }: { act: Act }) {
  const { t } = useTranslation("audit-log")
  const changes = changesOf(act.before, act.after)
  if (act.is_erased && changes.length === 0) return <Note>{t("erased")}</Note>
  if (changes.length === 0) return <p className="text-13 text-ink-3">{t("noDetails")}</p>
  return (
    <div className="max-w-full overflow-x-auto">
      <table className="ledger" aria-label={t("changes")}>
        <thead>
          <tr>
            <th scope="col">{t("field")}</th>
            <th scope="col">{t("before")}</th>
            <th scope="col">{t("after")}</th>
          </tr>
        </thead>
        <tbody>
          {changes.map((change) => (
            <tr key={change.name}>
              <td className="name">{change.name}</td>
              <td>
                <Value text={change.before} />
              </td>
              <td>
                <Value text={change.after} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Facts({ act }: { act: Act }) {
  const { t } = useTranslation("audit-log")
  const facts = [
    ["who", act.user_email ?? (act.user_id ? act.user_id : t("house"))],
    ["subject", [act.subject, act.subject_id].filter(Boolean).join(" ")],
    ["account", act.account_id],
    ["from", act.address],
    ["token", act.token_id],
    ["request", act.request_id],
  ] as const
  return (
    <dl className="kv">
      <dt>{t("when")}</dt>
      <dd>
        <When at={act.created_at} as="time" />
      </dd>
      {facts.map(
        ([name, value]) =>
          value && (
            <div key={name} className="contents">
              <dt>{t(name)}</dt>
              <dd className="wrap-anywhere">{value}</dd>
            </div>
          ),
      )}
    </dl>
  )
}

/** One act: who, when, from where, and what it was before and after. `act` is there, or is being asked for. */
export function ActDialog({
  act,
  error,
  onRetry,
  onClose,
}: {
  act: Act | undefined
  error?: Error | null
  onRetry?: () => void
  onClose: () => void
}) {
  const { t } = useTranslation(["audit-log", "common"])
  return (
    <Dialog
      isOpen
      onClose={onClose}
      title={act?.action ?? t("act")}
      foot={<Button onClick={onClose}>{t("common:close")}</Button>}
    >
      {error && onRetry && <Failed error={error} onRetry={onRetry} />}
      {act ? (
        <div className="grid gap-6">
          <Facts act={act} />
          <Changes act={act} />
        </div>
      ) : (
        !error && <div aria-busy="true" className="min-h-32" />
      )}
    </Dialog>
  )
}

/** An act of the whole house by its id, for operators. */
export function ActPanel({ actId, onClose }: { actId: string; onClose: () => void }) {
  const act = useQuery({
    queryKey: ["admin", "audit-log", "act", actId],
    queryFn: ({ signal }) =>
      body(api().GET("/api/v1/admin/audit-log/{act_id}", { params: { path: { act_id: actId } }, signal })),
    staleTime: Number.POSITIVE_INFINITY,
  })
  return <ActDialog act={act.data} error={act.error} onRetry={() => void act.refetch()} onClose={onClose} />
}
