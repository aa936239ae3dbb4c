import { Ban, Ellipsis, Pencil, Users } from "lucide-react"
import { useTranslation } from "react-i18next"
import type { Batch } from "../../api/types"
import { Amount, useLedger } from "../../components/amount"
import { Button } from "../../components/button"
import type { Column } from "../../components/ledger-table"
import { Menu, MenuItem } from "../../components/menu"
import { Bar, State, Tag } from "../../components/state"
import { useNow, When } from "../../components/when"
import { countText } from "../../format/quota"

function BatchState({ batch }: { batch: Batch }) {
  const { t } = useTranslation("admin")
  const now = useNow()
  if (batch.revoked_at) return <State tone="off">{t("codes.revoked")}</State>
  if (batch.expires_at && Date.parse(batch.expires_at) <= now)
    return <State tone="off">{t("codes.expired")}</State>
  return <State tone="good">{t("codes.open")}</State>
}

type Actions = {
  onHistory: (batch: Batch) => void
  onEdit: (batch: Batch) => void
  onRevoke: (batch: Batch) => void
}

function RowMenu({ batch, onHistory, onEdit, onRevoke }: { batch: Batch } & Actions) {
  const { t } = useTranslation(["codes", "admin"])
  return (
    <Menu
      trigger={
        <Button look="ghost" size="sm" isIcon aria-label={t("admin:actionsFor", { name: batch.name })}>
          <Ellipsis className="i" aria-hidden="true" />
        </Button>
      }
    >
      <MenuItem icon={<Users className="i" aria-hidden="true" />} onPress={() => onHistory(batch)}>
        {t("who")}
      </MenuItem>
      <MenuItem icon={<Pencil className="i" aria-hidden="true" />} onPress={() => onEdit(batch)}>
        {t("edit")}
      </MenuItem>
      {!batch.revoked_at && (
        <MenuItem isBad icon={<Ban className="i" aria-hidden="true" />} onPress={() => onRevoke(batch)}>
          {t("admin:codes.revoke")}
        </MenuItem>
      )}
    </Menu>
  )
}

function Progress({ batch }: { batch: Batch }) {
  const most = BigInt(batch.count) * BigInt(batch.uses_per_code)
  return (
    <>
      {countText(batch.redeemed)}
      <span className="q"> / {countText(most)}</span>
      <Bar percent={Number((BigInt(batch.redeemed) * 100n) / most)} />
    </>
  )
}

/** The columns of the batches. */
export function useBatchColumns(actions: Actions): Column<Batch>[] {
  const { t } = useTranslation(["admin", "common", "codes"])
  const { sign } = useLedger()
  return [
    {
      id: "name",
      head: t("codes.batch"),
      cell: (row) => (
        <>
          <span className="name">{row.name}</span>
          {row.is_campaign && (
            <span className="ml-2">
              <Tag>{t("codes:campaign")}</Tag>
            </span>
          )}
        </>
      ),
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
      className: "max-md:hidden",
      cell: (row) => countText(row.count),
    },
    {
      id: "redeemed",
      head: t("codes.redeemed"),
      kind: "num",
      className: "max-md:hidden",
      cell: (row) => <Progress batch={row} />,
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
      cell: (row) => <RowMenu batch={row} {...actions} />,
    },
  ]
}
