import { useQuery } from "@tanstack/react-query"
import { getRouteApi } from "@tanstack/react-router"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { methodsQuery } from "../../api/operator-queries"
import { pageQuery, usePages } from "../../api/pages"
import type { AdminOrder } from "../../api/types"
import { Amount, Nothing, useLedger } from "../../components/amount"
import { Chip } from "../../components/choice"
import { Drawer } from "../../components/dialog"
import { SearchInput, Select } from "../../components/input"
import { type Column, LedgerTable } from "../../components/ledger-table"
import { More } from "../../components/more"
import { PageHead } from "../../components/page"
import { useUrlText } from "../../components/url-text"
import { When } from "../../components/when"
import { moneyText } from "../../format/minor"
import { OrderDetail } from "./order-detail"
import { OrderState } from "./order-state"
import { type OrdersSearch, STATUSES } from "./search"

const route = getRouteApi("/console/admin/orders")

function useColumns(labels: Map<string, string>): Column<AdminOrder>[] {
  const { t } = useTranslation("orders")
  const { sign } = useLedger()
  return [
    {
      id: "account",
      head: t("account"),
      bone: 160,
      cell: (row) => (
        <>
          <span className="name">{row.account_name}</span>
          <span className="sub">{row.buyer ?? t("erased")}</span>
          <span className="sub md:hidden">
            <OrderState line={row} />
          </span>
        </>
      ),
    },
    {
      id: "when",
      head: t("when"),
      className: "soft max-md:hidden",
      cell: (row) => <When at={row.order.created_at} />,
    },
    {
      id: "method",
      head: t("method"),
      className: "max-lg:hidden",
      cell: (row) => labels.get(row.order.method) ?? <span className="mono">{row.order.method}</span>,
    },
    {
      id: "total",
      head: t("total"),
      kind: "num",
      cell: ({ order }) => (
        <span className="fig">{moneyText(order.total, order.currency, order.exponent)}</span>
      ),
    },
    {
      id: "credited",
      head: t("credited"),
      unit: sign,
      kind: "num",
      className: "max-md:hidden",
      cell: ({ order }) =>
        order.credited_quota - order.taken_quota > 0 ? (
          <Amount quota={order.credited_quota - order.taken_quota} as="balance" />
        ) : (
          <Nothing />
        ),
    },
    {
      id: "state",
      head: t("state"),
      className: "max-md:hidden",
      cell: (row) => <OrderState line={row} />,
    },
  ]
}

export default function OrdersPage() {
  const { t } = useTranslation("orders")
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const change = (wanted: OrdersSearch) =>
    navigate({ search: (before) => ({ ...before, ...wanted }), replace: true, resetScroll: false })
  const [text, setText] = useUrlText(search.q ?? "", (q) => change({ q: q || undefined }))
  const { data: methods } = useQuery(methodsQuery)
  const labels = new Map(methods?.map((method) => [method.id, method.label]))
  const { order: openId, ...filters } = search
  const { rows, error, retry, more } = usePages(["admin", "orders", filters], (cursor, signal) =>
    body(
      api().GET("/api/v1/admin/orders", { params: { query: { ...pageQuery(cursor), ...filters } }, signal }),
    ),
  )
  const isFiltered = Object.keys(filters).length > 0
  return (
    <>
      <PageHead title={t("title")} text={t("text")} />
      <div className="mb-4 flex flex-wrap items-center gap-3">
        <SearchInput boxClass="md:w-[360px]!" label={t("search")} value={text} onValue={setText} />
        {methods && methods.length > 1 && (
          <Select
            boxClass="w-auto!"
            aria-label={t("method")}
            value={search.method ?? ""}
            onChange={(event) => change({ method: event.target.value || undefined })}
          >
            <option value="">{t("everyMethod")}</option>
            {methods.map((method) => (
              <option key={method.id} value={method.id}>
                {method.label}
              </option>
            ))}
          </Select>
        )}
        {/* biome-ignore lint/a11y/useSemanticElements: chips are buttons in a row */}
        <div className="flex flex-wrap gap-2" role="group" aria-label={t("state")}>
          <Chip isOn={search.status === undefined} onPress={() => change({ status: undefined })}>
            {t("all")}
          </Chip>
          {STATUSES.map((status) => (
            <Chip key={status} isOn={search.status === status} onPress={() => change({ status })}>
              {t(`status.${status}`)}
            </Chip>
          ))}
        </div>
      </div>
      <LedgerTable
        label={t("title")}
        isTwoLine
        isSticky
        columns={useColumns(labels)}
        rows={rows}
        keyOf={(row) => row.order.id}
        onOpen={(row) => change({ order: row.order.id })}
        isOn={(row) => row.order.id === openId}
        error={error}
        onRetry={retry}
        empty={
          <>
            <b>{isFiltered ? t("noneFound") : t("empty")}</b>
            <p>{isFiltered ? t("noneFoundText") : t("emptyText")}</p>
          </>
        }
      />
      <More more={more} />
      <Drawer isOpen={openId !== undefined} onClose={() => change({ order: undefined })} title={t("order")}>
        {openId && <OrderDetail key={openId} orderId={openId} labels={labels} />}
      </Drawer>
    </>
  )
}
