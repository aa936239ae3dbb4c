import { useQueryClient } from "@tanstack/react-query"
import { Ban, Plus } from "lucide-react"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body, onceOnly } from "../../api/client"
import { pageQuery, usePages } from "../../api/pages"
import type { Batch, NewBatch } from "../../api/types"
import { Amount, useLedger } from "../../components/amount"
import { Button } from "../../components/button"
import { Confirm } from "../../components/confirm"
import { closed, type Open, opened } from "../../components/form-dialog"
import { type Column, LedgerTable } from "../../components/ledger-table"
import { More } from "../../components/more"
import { PageHead } from "../../components/page"
import { State } from "../../components/state"
import { say } from "../../components/toast"
import { useNow, When } from "../../components/when"
import { countText } from "../../format/quota"
import { BatchForm } from "./batch-form"
import { CodesDialog } from "./codes-dialog"

function BatchState({ batch }: { batch: Batch }) {
  const { t } = useTranslation("admin")
  const now = useNow()
  if (batch.revoked_at) return <State tone="off">{t("codes.revoked")}</State>
  if (batch.expires_at && Date.parse(batch.expires_at) <= now)
    return <State tone="off">{t("codes.expired")}</State>
  return <State tone="good">{t("codes.open")}</State>
}

function useColumns(onRevoke: (batch: Batch) => void): Column<Batch>[] {
  const { t } = useTranslation(["admin", "common"])
  const { sign } = useLedger()
  return [
    {
      id: "name",
      head: t("codes.batch"),
      cell: (row) => <span className="name wrap-anywhere">{row.name}</span>,
    },
    {
      id: "made",
      head: t("codes.made"),
      className: "soft max-md:hidden",
      cell: (row) => <When at={row.created_at} />,
    },
    {
      id: "count",
      head: t("codes.codes"),
      kind: "num",
      cell: (row) => countText(row.count),
    },
    {
      id: "redeemed",
      head: t("codes.redeemed"),
      kind: "num",
      className: "max-md:hidden",
      cell: (row) => (
        <>
          {countText(row.redeemed)}
          <span className="q"> / {countText(BigInt(row.count) * BigInt(row.uses_per_code))}</span>
        </>
      ),
    },
    {
      id: "amount",
      head: t("codes.each"),
      unit: sign,
      kind: "num",
      cell: (row) => <Amount quota={row.amount} />,
    },
    {
      id: "expires",
      head: t("codes.expires"),
      className: "soft max-lg:hidden",
      cell: (row) => (row.expires_at ? <When at={row.expires_at} /> : t("codes.never")),
    },
    {
      id: "groups",
      head: t("codes.groups"),
      className: "soft max-lg:hidden",
      cell: (row) => row.groups?.join(", ") || t("codes.everyGroup"),
    },
    { id: "state", head: t("state"), cell: (row) => <BatchState batch={row} /> },
    {
      id: "act",
      head: t("common:actions"),
      kind: "act",
      cell: (row) =>
        !row.revoked_at && (
          <Button
            look="ghost"
            size="sm"
            isIcon
            aria-label={t("codes.revokeOf", { name: row.name })}
            title={t("codes.revoke")}
            onClick={() => onRevoke(row)}
          >
            <Ban className="i" aria-hidden="true" />
          </Button>
        ),
    },
  ]
}

export default function CodesPage() {
  const { t } = useTranslation("admin")
  const queries = useQueryClient()
  const [isMaking, setMaking] = useState(false)
  const [made, setMade] = useState<NewBatch | null>(null)
  const [doomed, setDoomed] = useState<Open<Batch>>(null)
  const refresh = () => queries.invalidateQueries({ queryKey: ["admin", "batches"] })
  const { rows, error, retry, more } = usePages(["admin", "batches"], (cursor, signal) =>
    body(api().GET("/api/v1/admin/redemption-batches", { params: { query: pageQuery(cursor) }, signal })),
  )
  const revoke = async (batch: Batch) => {
    await body(
      api().DELETE("/api/v1/admin/redemption-batches/{batch_id}", {
        params: { path: { batch_id: batch.id } },
      }),
    )
    await refresh()
    say({ tone: "good", title: t("codes.revokedToast", { name: batch.name }) })
  }
  return (
    <>
      <PageHead title={t("codes.title")} text={t("codes.text")}>
        <Button look="primary" onClick={() => setMaking(true)}>
          <Plus className="i" aria-hidden="true" />
          {t("codes.new")}
        </Button>
      </PageHead>
      <LedgerTable
        label={t("codes.title")}
        isSticky
        columns={useColumns((batch) => setDoomed(opened(batch)))}
        rows={rows}
        keyOf={(row) => row.id}
        error={error}
        onRetry={retry}
        empty={
          <>
            <b>{t("codes.empty")}</b>
            <p>{t("codes.emptyText")}</p>
          </>
        }
      />
      <More more={more} />
      <BatchForm
        isOpen={isMaking}
        onClose={() => setMaking(false)}
        onSubmit={(draft) =>
          body(
            api().POST("/api/v1/admin/redemption-batches", {
              body: draft,
              headers: { "Idempotency-Key": onceOnly() },
            }),
          ).then((batch) => {
            setMade(batch)
            return refresh()
          })
        }
      />
      <CodesDialog key={made?.id ?? ""} made={made} onDone={() => setMade(null)} />
      {doomed && (
        <Confirm
          isOpen={doomed.isOpen}
          onClose={() => setDoomed(closed)}
          title={t("codes.revokeTitle", { name: doomed.thing.name })}
          text={t("codes.revokeText")}
          action={t("codes.revokeOf", { name: doomed.thing.name })}
          onConfirm={() => revoke(doomed.thing)}
        />
      )}
    </>
  )
}
