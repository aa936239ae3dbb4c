import { useQueryClient } from "@tanstack/react-query"
import { Ellipsis, Pencil, Plus, Stethoscope, Trash2 } from "lucide-react"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body, onceOnly } from "../../api/client"
import { pageQuery, usePages } from "../../api/pages"
import type { Channel, ChannelDraft } from "../../api/types"
import { Button } from "../../components/button"
import { Switch } from "../../components/choice"
import { Confirm } from "../../components/confirm"
import { closed, type Open, opened } from "../../components/form-dialog"
import { type Column, LedgerTable } from "../../components/ledger-table"
import { Menu, MenuItem, MenuRule } from "../../components/menu"
import { More } from "../../components/more"
import { PageHead } from "../../components/page"
import { useProblemText } from "../../components/problem"
import { say } from "../../components/toast"
import { countText } from "../../format/quota"
import { ChannelForm } from "./channel-form"

type Actions = {
  onEdit: (channel: Channel) => void
  onTest: (channel: Channel) => void
  onDelete: (channel: Channel) => void
  onSwitch: (channel: Channel, enabled: boolean) => void
}

function hostOf(channel: Channel): string {
  return URL.canParse(channel.base_url) ? new URL(channel.base_url).host : channel.base_url
}

function RowMenu({ channel, onEdit, onTest, onDelete }: { channel: Channel } & Actions) {
  const { t } = useTranslation("admin")
  return (
    <Menu
      trigger={
        <Button look="ghost" size="sm" isIcon aria-label={t("actionsFor", { name: channel.name })}>
          <Ellipsis className="i" aria-hidden="true" />
        </Button>
      }
    >
      <MenuItem icon={<Stethoscope className="i" aria-hidden="true" />} onPress={() => onTest(channel)}>
        {t("channels.test")}
      </MenuItem>
      <MenuItem icon={<Pencil className="i" aria-hidden="true" />} onPress={() => onEdit(channel)}>
        {t("edit")}
      </MenuItem>
      <MenuRule />
      <MenuItem isBad icon={<Trash2 className="i" aria-hidden="true" />} onPress={() => onDelete(channel)}>
        {t("delete")}
      </MenuItem>
    </Menu>
  )
}

function useColumns(actions: Actions): Column<Channel>[] {
  const { t } = useTranslation(["admin", "common"])
  return [
    {
      id: "channel",
      head: t("channels.channel"),
      bone: 140,
      cell: (row) => (
        <>
          <span className="name wrap-anywhere">{row.name}</span>
          <span className="sub wrap-anywhere">
            {row.provider}
            {hostOf(row) && (
              <>
                {" · "}
                <span className="mono">{hostOf(row)}</span>
              </>
            )}
          </span>
        </>
      ),
    },
    {
      id: "models",
      head: t("channels.models"),
      className: "max-md:hidden",
      cell: (row) => {
        const names = Object.keys(row.models)
        return names.length <= 2 ? (
          <span className="mono wrap-anywhere">{names.join(", ") || "–"}</span>
        ) : (
          <span title={names.join(", ")}>{t("channels.nModels", { count: names.length })}</span>
        )
      },
    },
    {
      id: "groups",
      head: t("channels.groups"),
      className: "soft max-lg:hidden",
      cell: (row) => row.groups.join(", "),
    },
    {
      id: "priority",
      head: t("channels.priorityShort"),
      unit: `/ ${t("channels.weightShort")}`,
      kind: "num",
      className: "max-md:hidden",
      cell: (row) => (
        <>
          {countText(row.priority)}
          <span className="q"> / </span>
          {countText(row.weight)}
        </>
      ),
    },
    {
      id: "on",
      head: t("on"),
      cell: (row) => (
        <Switch label={row.name} isOn={row.enabled} onChange={(enabled) => actions.onSwitch(row, enabled)} />
      ),
    },
    {
      id: "act",
      head: t("common:actions"),
      kind: "act",
      cell: (row) => <RowMenu channel={row} {...actions} />,
    },
  ]
}

function useChannelActs() {
  const { t } = useTranslation("admin")
  const queries = useQueryClient()
  const textOf = useProblemText()
  const refresh = () => queries.invalidateQueries({ queryKey: ["admin", "channels"] })
  const save = async (channel: Channel | null, draft: ChannelDraft) => {
    if (channel) await change(channel, draft)
    else
      await body(
        api().POST("/api/v1/admin/channels", { body: draft, headers: { "Idempotency-Key": onceOnly() } }),
      )
    await refresh()
    say({ tone: "good", title: t("saved", { name: draft.name }) })
  }
  const change = (channel: Channel, wanted: Partial<ChannelDraft>) =>
    body(
      api().PATCH("/api/v1/admin/channels/{channel_id}", {
        params: { path: { channel_id: channel.id } },
        body: wanted,
      }),
    )
  const turn = async (channel: Channel, enabled: boolean) => {
    try {
      await change(channel, { enabled })
      await refresh()
      say({ tone: "good", title: t(enabled ? "channels.isOn" : "channels.isOff", { name: channel.name }) })
    } catch (error) {
      say({ tone: "bad", title: t("notChanged", { name: channel.name }), text: textOf(error) })
    }
  }
  const test = async (channel: Channel) => {
    try {
      const result = await body(
        api().POST("/api/v1/admin/channels/{channel_id}/test", {
          params: { path: { channel_id: channel.id } },
          body: {},
        }),
      )
      const latency = t("channels.latency", { ms: countText(result.latency_ms), model: result.model })
      if (result.ok) say({ tone: "good", title: t("channels.works", { name: channel.name }), text: latency })
      else
        say({
          tone: "bad",
          title: t("channels.fails", { name: channel.name }),
          text: [result.status, result.error].filter(Boolean).join(" · ") || latency,
        })
    } catch (error) {
      say({ tone: "bad", title: t("channels.fails", { name: channel.name }), text: textOf(error) })
    }
  }
  const remove = async (channel: Channel) => {
    await body(
      api().DELETE("/api/v1/admin/channels/{channel_id}", { params: { path: { channel_id: channel.id } } }),
    )
    await refresh()
    say({ tone: "good", title: t("deleted", { name: channel.name }) })
  }
  return { save, turn, test, remove }
}

export default function ChannelsPage() {
  const { t } = useTranslation("admin")
  const [form, setForm] = useState<Open<Channel | null>>(null)
  const [doomed, setDoomed] = useState<Open<Channel>>(null)
  const { save, turn, test, remove } = useChannelActs()
  const { rows, error, retry, more } = usePages(["admin", "channels"], (cursor, signal) =>
    body(api().GET("/api/v1/admin/channels", { params: { query: pageQuery(cursor) }, signal })),
  )
  const columns = useColumns({
    onEdit: (channel) => setForm(opened(channel)),
    onTest: (channel) => void test(channel),
    onDelete: (channel) => setDoomed(opened(channel)),
    onSwitch: (channel, enabled) => void turn(channel, enabled),
  })
  return (
    <>
      <PageHead title={t("channels.title")} text={t("channels.text")}>
        <Button look="primary" onClick={() => setForm(opened(null))}>
          <Plus className="i" aria-hidden="true" />
          {t("channels.new")}
        </Button>
      </PageHead>
      <LedgerTable
        label={t("channels.title")}
        isTwoLine
        isSticky
        columns={columns}
        rows={rows}
        keyOf={(row) => row.id}
        error={error}
        onRetry={retry}
        empty={
          <>
            <b>{t("channels.empty")}</b>
            <p>{t("channels.emptyText")}</p>
          </>
        }
      />
      <More more={more} />
      {form && (
        <ChannelForm
          isOpen={form.isOpen}
          edited={form.thing}
          onClose={() => setForm(closed)}
          onGone={() => setForm(null)}
          onSubmit={(draft) => save(form.thing, draft)}
        />
      )}
      {doomed && (
        <Confirm
          isOpen={doomed.isOpen}
          onClose={() => setDoomed(closed)}
          title={t("deleteTitle", { name: doomed.thing.name })}
          text={t("channels.deleteText")}
          action={t("deleteAction", { name: doomed.thing.name })}
          onConfirm={() => remove(doomed.thing)}
        />
      )}
    </>
  )
}
