import { Link } from "@tanstack/react-router"
import { Ellipsis, Pencil, Receipt, Stethoscope, Trash2 } from "lucide-react"
import { useTranslation } from "react-i18next"
import type { Channel } from "../../api/types"
import { Nothing } from "../../components/amount"
import { Button } from "../../components/button"
import { Switch } from "../../components/choice"
import type { Column } from "../../components/ledger-table"
import { Menu, MenuItem, MenuRule } from "../../components/menu"
import { countText } from "../../format/quota"
import { Health } from "./health"

type Actions = {
  onTest: (channel: Channel) => void
  onDelete: (channel: Channel) => void
  onSwitch: (channel: Channel, enabled: boolean) => void
}

function hostOf(channel: Channel): string {
  return URL.canParse(channel.base_url) ? new URL(channel.base_url).host : channel.base_url
}

function RowMenu({ channel, onTest, onDelete }: { channel: Channel } & Actions) {
  const { t } = useTranslation("channels")
  return (
    <Menu
      trigger={
        <Button look="ghost" size="sm" isIcon aria-label={t("actionsFor", { name: channel.name })}>
          <Ellipsis className="i" aria-hidden="true" />
        </Button>
      }
    >
      <MenuItem icon={<Stethoscope className="i" aria-hidden="true" />} onPress={() => onTest(channel)}>
        {t("test")}
      </MenuItem>
      <MenuItem
        icon={<Pencil className="i" aria-hidden="true" />}
        render={<Link to="/console/admin/channels/$channelId" params={{ channelId: channel.id }} />}
      >
        {t("edit")}
      </MenuItem>
      <MenuItem
        icon={<Receipt className="i" aria-hidden="true" />}
        render={<Link to="/console/admin/channels/$channelId/costs" params={{ channelId: channel.id }} />}
      >
        {t("costs")}
      </MenuItem>
      <MenuRule />
      <MenuItem isBad icon={<Trash2 className="i" aria-hidden="true" />} onPress={() => onDelete(channel)}>
        {t("delete")}
      </MenuItem>
    </Menu>
  )
}

export function useChannelColumns(actions: Actions): Column<Channel>[] {
  const { t } = useTranslation(["channels", "common"])
  return [
    {
      id: "channel",
      head: t("channel"),
      className: "max-md:w-[45%]",
      bone: 140,
      cell: (row) => (
        <>
          <Link className="name" to="/console/admin/channels/$channelId" params={{ channelId: row.id }}>
            {row.name}
          </Link>
          <span className="sub">
            {row.provider}
            {hostOf(row) && (
              <span className="max-md:hidden">
                {" · "}
                <span className="mono">{hostOf(row)}</span>
              </span>
            )}
          </span>
        </>
      ),
    },
    { id: "health", head: t("health"), cell: (row) => <Health channel={row} /> },
    {
      id: "credentials",
      head: t("credentials"),
      kind: "num",
      className: "max-lg:hidden",
      cell: (row) =>
        row.credentials.length === 0 ? (
          <Nothing />
        ) : (
          <>
            {countText(row.usable_credentials)}
            {row.usable_credentials !== row.credentials.length && (
              <span className="q"> {t("ofTotal", { count: row.credentials.length })}</span>
            )}
          </>
        ),
    },
    {
      id: "models",
      head: t("models"),
      className: "max-md:hidden",
      cell: (row) => {
        const names = Object.keys(row.models)
        return names.length <= 2 ? (
          <span className="mono">{names.join(", ") || "–"}</span>
        ) : (
          <span title={names.join(", ")}>{t("nModels", { count: names.length })}</span>
        )
      },
    },
    {
      id: "groups",
      head: t("groups"),
      className: "soft max-lg:hidden",
      cell: (row) => row.groups.join(", ") || "–",
    },
    {
      id: "priority",
      head: t("priorityShort"),
      unit: `/ ${t("weightShort")}`,
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
