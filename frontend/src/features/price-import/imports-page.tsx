import { useQueryClient } from "@tanstack/react-query"
import { getRouteApi } from "@tanstack/react-router"
import { FileInput } from "lucide-react"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { pageQuery, usePages } from "../../api/pages"
import type { PriceImport } from "../../api/types"
import { Button } from "../../components/button"
import { type Column, LedgerTable } from "../../components/ledger-table"
import { More } from "../../components/more"
import { PageHead } from "../../components/page"
import { Tag } from "../../components/state"
import { When } from "../../components/when"
import { changeText } from "../../format/part"
import { countText } from "../../format/quota"
import { useSourceName } from "./source-name"
import { StartDialog } from "./start-dialog"

const route = getRouteApi("/console/admin/price-imports")

function useColumns(): Column<PriceImport>[] {
  const { t } = useTranslation("price-imports")
  const sourceName = useSourceName()
  return [
    {
      id: "list",
      head: t("list"),
      bone: 180,
      cell: (row) => (
        <>
          <span className="name">{sourceName(row.source)}</span>
          <span className="sub">
            {[row.facts.version, row.facts.date, row.origin].filter(Boolean).join(" · ") || "–"}
          </span>
        </>
      ),
    },
    {
      id: "for",
      head: t("for"),
      className: "max-md:hidden",
      cell: (row) =>
        row.channel_id ? <Tag>{t("costsOf", { name: row.channel ?? "–" })}</Tag> : t("pricesOfModels"),
    },
    {
      id: "factor",
      head: t("factor"),
      kind: "num",
      className: "max-lg:hidden",
      cell: (row) => (
        <span className="fig">
          ×{row.factor}
          {row.markup_micros !== 0 && <span className="q"> {changeText(row.markup_micros)}</span>}
        </span>
      ),
    },
    {
      id: "lines",
      head: t("accepted"),
      kind: "num",
      cell: (row) => (
        <span className="fig">
          {countText(row.accepted)} <span className="q">/ {countText(row.lines)}</span>
        </span>
      ),
    },
    {
      id: "who",
      head: t("who"),
      className: "max-md:hidden",
      cell: (row) => (
        <>
          {row.created_by_email ?? t("nobody")}
          <span className="sub">
            <When at={row.created_at} />
          </span>
        </>
      ),
    },
  ]
}

export default function ImportsPage() {
  const { t } = useTranslation("price-imports")
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const queries = useQueryClient()
  const [isOpen, setOpen] = useState(search.for !== undefined)
  const { rows, error, retry, more } = usePages(["admin", "price-imports"], (cursor, signal) =>
    body(api().GET("/api/v1/admin/price-imports", { params: { query: pageQuery(cursor) }, signal })),
  )
  const show = (importId: string) =>
    navigate({ to: "/console/admin/price-imports/$importId", params: { importId }, search: {} })
  return (
    <>
      <PageHead title={t("title")} text={t("text")}>
        <Button look="primary" onClick={() => setOpen(true)}>
          <FileInput className="i" aria-hidden="true" />
          {t("start")}
        </Button>
      </PageHead>
      <LedgerTable
        label={t("title")}
        isTwoLine
        isSticky
        columns={useColumns()}
        rows={rows}
        keyOf={(row) => row.id}
        onOpen={(row) => void show(row.id)}
        error={error}
        onRetry={retry}
        empty={
          <>
            <b>{t("empty")}</b>
            <p>{t("emptyText")}</p>
          </>
        }
      />
      <More more={more} />
      <StartDialog
        isOpen={isOpen}
        channelId={search.for}
        onClose={() => setOpen(false)}
        onRead={async (made) => {
          await queries.invalidateQueries({ queryKey: ["admin", "price-imports"] })
          await show(made.id)
        }}
      />
    </>
  )
}
