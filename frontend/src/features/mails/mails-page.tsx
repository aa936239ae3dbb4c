import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { pageQuery, usePages } from "../../api/pages"
import { meQuery } from "../../api/queries"
import { Button } from "../../components/button"
import { Dialog } from "../../components/dialog"
import { type Column, LedgerTable } from "../../components/ledger-table"
import { More } from "../../components/more"
import { Note } from "../../components/note"
import { PageHead } from "../../components/page"
import { useProblemText } from "../../components/problem"
import { State, type Tone } from "../../components/state"
import { say } from "../../components/toast"
import { When } from "../../components/when"

type Mail = {
  id: string
  to: string
  letter: string
  state: "queued" | "sending" | "sent" | "failed" | "given_up"
  attempts: number
  next_at: string | null
  error: string | null
  created_at: string
}

const TONES: Record<Mail["state"], Tone> = {
  queued: "half",
  sending: "half",
  sent: "good",
  failed: "warn",
  given_up: "bad",
}

function useColumns(
  canRead: boolean,
  onRead: (id: string) => void,
  onRetry: (id: string) => void,
): Column<Mail>[] {
  const { t } = useTranslation("mails")
  return [
    {
      id: "to",
      head: t("to"),
      bone: 160,
      cell: (mail) => (
        <>
          <span className="name">{mail.to}</span>
          <span className="sub mono">{mail.letter}</span>
        </>
      ),
    },
    {
      id: "state",
      head: t("state"),
      cell: (mail) => (
        <>
          <State tone={TONES[mail.state]}>{t(`states.${mail.state}`)}</State>
          {mail.error && <span className="sub">{mail.error}</span>}
        </>
      ),
    },
    { id: "tries", head: t("tries"), kind: "num", className: "max-md:hidden", cell: (mail) => mail.attempts },
    {
      id: "when",
      head: t("when"),
      className: "max-md:hidden",
      cell: (mail) => <When at={mail.created_at} />,
    },
    {
      id: "act",
      head: t("acts"),
      kind: "act",
      cell: (mail) => (
        <>
          {mail.state === "failed" && (
            <Button size="sm" onClick={() => onRetry(mail.id)}>
              {t("retry")}
            </Button>
          )}
          {canRead && mail.state === "sent" && (
            <Button size="sm" onClick={() => onRead(mail.id)}>
              {t("read")}
            </Button>
          )}
        </>
      ),
    },
  ]
}

function ReadDialog({ id, onClose }: { id: string | null; onClose: () => void }) {
  const mail = useQuery({
    queryKey: ["admin", "mails", id],
    enabled: id !== null,
    queryFn: ({ signal }) =>
      body(api().GET("/api/v1/admin/mails/{mail_id}", { params: { path: { mail_id: id ?? "" } }, signal })),
  })
  return (
    <Dialog
      isOpen={id !== null && mail.data !== undefined}
      onClose={onClose}
      title={mail.data?.subject ?? ""}
    >
      <pre className="wrap-anywhere whitespace-pre-wrap text-13">{mail.data?.text}</pre>
    </Dialog>
  )
}

/** Mail on its way: to whom, about what, and why it does not arrive. */
export default function MailsPage() {
  const { t } = useTranslation("mails")
  const queries = useQueryClient()
  const textOf = useProblemText()
  const { data: me } = useQuery(meQuery)
  const [opened, setOpened] = useState<string | null>(null)
  const about = useQuery({
    queryKey: ["admin", "mails", "about"],
    queryFn: ({ signal }) =>
      body(api().GET("/api/v1/admin/mails", { params: { query: { limit: 1 } }, signal })),
  })
  const mails = usePages<Mail>(["admin", "mails", "list"], (cursor, signal) =>
    body(api().GET("/api/v1/admin/mails", { params: { query: pageQuery(cursor) }, signal })),
  )
  const refresh = () => queries.invalidateQueries({ queryKey: ["admin", "mails"] })
  const test = useMutation({
    mutationFn: () => body(api().POST("/api/v1/admin/mails/test")),
    onSuccess: async () => {
      say({ tone: "good", title: t("testSent", { email: me?.user.email ?? "" }) })
      await refresh()
    },
    onError: (error) => say({ tone: "bad", title: textOf(error) }),
  })
  const retry = useMutation({
    mutationFn: (id: string) =>
      body(api().POST("/api/v1/admin/mails/{mail_id}/retry", { params: { path: { mail_id: id } } })),
    onSettled: refresh,
  })
  const canRead = about.data?.is_printed === true && me?.user.role === "owner"
  const columns = useColumns(canRead, setOpened, retry.mutate)
  return (
    <>
      <PageHead title={t("title")} text={t("text")}>
        <Button
          look="primary"
          disabled={!about.data?.is_configured}
          isBusy={test.isPending}
          onClick={() => test.mutate()}
        >
          {t("test")}
        </Button>
      </PageHead>
      {about.data && !about.data.is_configured && (
        <div className="mb-6">
          <Note tone="warn">{t("notConfigured")}</Note>
        </div>
      )}
      {about.data?.is_printed && (
        <div className="mb-6">
          <Note>{t("printed")}</Note>
        </div>
      )}
      <LedgerTable
        label={t("title")}
        columns={columns}
        rows={mails.rows}
        keyOf={({ id }) => id}
        error={mails.error}
        onRetry={mails.retry}
        isTwoLine
        empty={<p>{t("empty")}</p>}
      />
      <More more={mails.more} />
      <ReadDialog id={opened} onClose={() => setOpened(null)} />
    </>
  )
}
