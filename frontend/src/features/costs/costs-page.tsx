import { useQuery, useQueryClient } from "@tanstack/react-query"
import { getRouteApi } from "@tanstack/react-router"
import { ArrowLeft, Ellipsis, FileInput, Scale, Trash2 } from "lucide-react"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { useLedger } from "../../components/amount"
import { Button, ButtonLink } from "../../components/button"
import { Confirm } from "../../components/confirm"
import { closed, type Open, opened } from "../../components/form-dialog"
import { type Column, LedgerTable } from "../../components/ledger-table"
import { Menu, MenuItem } from "../../components/menu"
import { MeterRate } from "../../components/meter-rate"
import { PageHead } from "../../components/page"
import { Failed } from "../../components/problem"
import { State, Tag } from "../../components/state"
import { say } from "../../components/toast"
import { useNow, When } from "../../components/when"
import { CostForm } from "./cost-form"
import type { Line } from "./line"

const route = getRouteApi("/console/admin/channels/$channelId/costs")

function useColumns(actions: { onSet: (line: Line) => void; onEnd: (line: Line) => void }): Column<Line>[] {
  const { t } = useTranslation(["costs", "common", "admin"])
  const { sign } = useLedger()
  const now = useNow()
  return [
    {
      id: "model",
      head: t("model"),
      bone: 140,
      cell: (row) => (
        <>
          <span className="name mono">{row.model}</span>
          <span className="sub">
            {row.cost ? (
              row.upstream !== row.model ? (
                row.upstream
              ) : (
                <>
                  {t("since")} <When at={row.cost.effective_at} as="time" />
                </>
              )
            ) : (
              <State tone="off">{t("unknown")}</State>
            )}
            {row.next && Date.parse(row.next.effective_at) > now && (
              <>
                {" "}
                <Tag tone="accent">
                  {t("next")} <When at={row.next.effective_at} as="time" />
                </Tag>
              </>
            )}
          </span>
          {row.cost?.rates && (
            <span className="sub md:hidden">
              {(["input", "output"] as const).map((meter) => (
                <span key={meter} className="mr-3">
                  {t(`admin:rates.${meter}`)} <MeterRate meter={meter} rate={row.cost?.rates?.[meter]} />
                </span>
              ))}
            </span>
          )}
        </>
      ),
    },
    ...(["input", "cached_input", "output", "request"] as const).map(
      (meter): Column<Line> => ({
        id: meter,
        head: t(`admin:rates.${meter}`),
        unit: meter === "request" ? sign : `${sign} / 1M`,
        kind: "num",
        className: meter === "cached_input" || meter === "request" ? "max-lg:hidden" : "max-md:hidden",
        cell: (row) => <MeterRate meter={meter} rate={row.cost?.rates?.[meter]} />,
      }),
    ),
    {
      id: "act",
      head: t("common:actions"),
      kind: "act",
      cell: (row) => (
        <Menu
          trigger={
            <Button look="ghost" size="sm" isIcon aria-label={t("admin:actionsFor", { name: row.model })}>
              <Ellipsis className="i" aria-hidden="true" />
            </Button>
          }
        >
          <MenuItem icon={<Scale className="i" aria-hidden="true" />} onPress={() => actions.onSet(row)}>
            {t("set")}
          </MenuItem>
          {row.cost && (
            <MenuItem
              isBad
              icon={<Trash2 className="i" aria-hidden="true" />}
              onPress={() => actions.onEnd(row)}
            >
              {t("end")}
            </MenuItem>
          )}
        </Menu>
      ),
    },
  ]
}

function useLines(channelId: string) {
  const path = { channel_id: channelId }
  const channel = useQuery({
    queryKey: ["admin", "channels", "one", channelId],
    queryFn: ({ signal }) =>
      body(api().GET("/api/v1/admin/channels/{channel_id}", { params: { path }, signal })),
  })
  const costs = useQuery({
    queryKey: ["admin", "channel-costs", channelId],
    queryFn: ({ signal }) =>
      body(api().GET("/api/v1/admin/channels/{channel_id}/costs", { params: { path }, signal })),
  })
  const lines =
    channel.data &&
    costs.data &&
    Object.entries(channel.data.models)
      .sort(([one], [other]) => one.localeCompare(other))
      .map(
        ([model, upstream]): Line => ({
          model,
          upstream,
          cost: costs.data.items.find((cost) => cost.model === model) ?? null,
          next: costs.data.upcoming.find((cost) => cost.model === model) ?? null,
        }),
      )
  return {
    channel: channel.data,
    lines,
    error: channel.error ?? costs.error,
    retry: () => void Promise.all([channel.refetch(), costs.refetch()]),
  }
}

/** What a channel costs the operator, model by model. Nobody is charged by it. */
export default function CostsPage() {
  const { t } = useTranslation(["costs", "admin"])
  const { channelId } = route.useParams()
  const queries = useQueryClient()
  const [form, setForm] = useState<Open<Line>>(null)
  const [ended, setEnded] = useState<Open<Line>>(null)
  const { channel, lines, error, retry } = useLines(channelId)
  const refresh = () => queries.invalidateQueries({ queryKey: ["admin", "channel-costs", channelId] })
  const columns = useColumns({
    onSet: (line) => setForm(opened(line)),
    onEnd: (line) => setEnded(opened(line)),
  })
  const end = async (line: Line) => {
    await body(
      api().DELETE("/api/v1/admin/channels/{channel_id}/costs", {
        params: { path: { channel_id: channelId }, query: { model: line.model } },
      }),
    )
    await refresh()
    say({ tone: "good", title: t("ended", { name: line.model }) })
  }
  if (error && !lines) return <Failed error={error} onRetry={retry} />
  return (
    <>
      <PageHead title={t("title", { name: channel?.name ?? "…" })} text={t("text")}>
        <ButtonLink look="ghost" to="/console/admin/channels/$channelId" params={{ channelId }}>
          <ArrowLeft className="i i-sm" aria-hidden="true" />
          {t("channel")}
        </ButtonLink>
        <ButtonLink to="/console/admin/price-imports" search={{ for: channelId }}>
          <FileInput className="i" aria-hidden="true" />
          {t("import")}
        </ButtonLink>
      </PageHead>
      <LedgerTable
        label={t("title", { name: channel?.name ?? "" })}
        isTwoLine
        isSticky
        columns={columns}
        rows={lines}
        keyOf={(row) => row.model}
        empty={
          <>
            <b>{t("empty")}</b>
            <p>{t("emptyText")}</p>
          </>
        }
      />
      {form && (
        <CostForm
          channelId={channelId}
          line={form.thing}
          isOpen={form.isOpen}
          onClose={() => setForm(closed)}
          onGone={() => setForm(null)}
          onSaved={async () => {
            await refresh()
            say({ tone: "good", title: t("saved", { name: form.thing.model }) })
          }}
        />
      )}
      {ended && (
        <Confirm
          isOpen={ended.isOpen}
          onClose={() => setEnded(closed)}
          title={t("endTitle", { name: ended.thing.model })}
          text={t("endText")}
          action={t("end")}
          onConfirm={() => end(ended.thing)}
        />
      )}
    </>
  )
}
