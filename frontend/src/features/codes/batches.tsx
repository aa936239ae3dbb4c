import { useQueryClient } from "@tanstack/react-query"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { pageQuery, usePages } from "../../api/pages"
import type { Batch, BatchChanges } from "../../api/types"
import { Confirm } from "../../components/confirm"
import { closed, type Open, opened } from "../../components/form-dialog"
import { LedgerTable } from "../../components/ledger-table"
import { More } from "../../components/more"
import { say } from "../../components/toast"
import { useBatchColumns } from "./batch-columns"
import { EditDialog } from "./edit-dialog"

/** Every batch, the newest first: how much of it is redeemed, and what can be done with it. */
export function Batches({ onHistory }: { onHistory: (batch: Batch) => void }) {
  const { t } = useTranslation(["admin", "codes"])
  const queries = useQueryClient()
  const [doomed, setDoomed] = useState<Open<Batch>>(null)
  const [edited, setEdited] = useState<Open<Batch>>(null)
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
  const edit = async (batch: Batch, changes: BatchChanges) => {
    await body(
      api().PATCH("/api/v1/admin/redemption-batches/{batch_id}", {
        params: { path: { batch_id: batch.id } },
        body: changes,
      }),
    )
    await refresh()
    say({ tone: "good", title: t("codes:changed", { name: changes.name ?? batch.name }) })
  }
  const columns = useBatchColumns({
    onHistory,
    onEdit: (batch) => setEdited(opened(batch)),
    onRevoke: (batch) => setDoomed(opened(batch)),
  })
  return (
    <>
      <LedgerTable
        label={t("codes.title")}
        isSticky
        columns={columns}
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
      {edited && (
        <EditDialog
          key={edited.thing.id}
          batch={edited.thing}
          isOpen={edited.isOpen}
          onClose={() => setEdited(closed)}
          onGone={() => setEdited(null)}
          onSubmit={(changes) => edit(edited.thing, changes)}
        />
      )}
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
