import { Ban, Ellipsis, KeyRound, Link2, ShieldCheck, Trash2, Undo2, UserCheck } from "lucide-react"
import { useTranslation } from "react-i18next"
import type { User } from "../../api/types"
import { Button } from "../../components/button"
import type { Column } from "../../components/ledger-table"
import { Menu, MenuItem, MenuRule } from "../../components/menu"
import { State, Tag } from "../../components/state"
import { When } from "../../components/when"

type Actions = {
  mayTouch: (user: User) => boolean
  mayAppoint: boolean
  onRole: (user: User) => void
  onBan: (user: User) => void
  onUnban: (user: User) => void
  onPasswordLink: (user: User) => void
  onWithdraw: (user: User) => void
  onDelete: (user: User) => void
  onKeep: (user: User) => void
}

function RowMenu({
  user,
  mayAppoint,
  onRole,
  onBan,
  onUnban,
  onPasswordLink,
  onWithdraw,
  onDelete,
  onKeep,
}: { user: User } & Actions) {
  const { t } = useTranslation(["users", "admin"])
  return (
    <Menu
      trigger={
        <Button look="ghost" size="sm" isIcon aria-label={t("admin:actionsFor", { name: user.email })}>
          <Ellipsis className="i" aria-hidden="true" />
        </Button>
      }
    >
      {mayAppoint && (
        <MenuItem icon={<ShieldCheck className="i" aria-hidden="true" />} onPress={() => onRole(user)}>
          {t("changeRole")}
        </MenuItem>
      )}
      {user.status === "active" && (
        <MenuItem icon={<Link2 className="i" aria-hidden="true" />} onPress={() => onPasswordLink(user)}>
          {t("password.menu")}
        </MenuItem>
      )}
      {user.has_second_factor && (
        <MenuItem icon={<KeyRound className="i" aria-hidden="true" />} onPress={() => onWithdraw(user)}>
          {t("factor.menu")}
        </MenuItem>
      )}
      {user.status === "banned" ? (
        <MenuItem icon={<UserCheck className="i" aria-hidden="true" />} onPress={() => onUnban(user)}>
          {t("unban")}
        </MenuItem>
      ) : (
        <MenuItem isBad icon={<Ban className="i" aria-hidden="true" />} onPress={() => onBan(user)}>
          {t("ban")}
        </MenuItem>
      )}
      <MenuRule />
      {user.deletion_due_at ? (
        <MenuItem icon={<Undo2 className="i" aria-hidden="true" />} onPress={() => onKeep(user)}>
          {t("deletion.keep")}
        </MenuItem>
      ) : (
        <MenuItem isBad icon={<Trash2 className="i" aria-hidden="true" />} onPress={() => onDelete(user)}>
          {t("deletion.menu")}
        </MenuItem>
      )}
    </Menu>
  )
}

/** `own` is the id of who looks. */
export function useColumns(own: string, actions: Actions): Column<User>[] {
  const { t } = useTranslation(["users", "admin", "common"])
  return [
    {
      id: "email",
      head: t("email"),
      bone: 180,
      cell: (row) => (
        <>
          <span className="flex flex-wrap items-center gap-2">
            <span className="name">{row.erased_at ? t("deletion.erased") : row.email}</span>
            {row.id === own && <Tag tone="accent">{t("you")}</Tag>}
            {row.deletion_due_at && (
              <Tag tone="warn">
                {t("deletion.due")} <When at={row.deletion_due_at} as="time" />
              </Tag>
            )}
            {row.status !== "active" && (
              <span className="md:hidden">
                <Tag tone="bad">{t(`status.${row.status}`)}</Tag>
              </span>
            )}
          </span>
          <span className="sub">
            {row.accounts
              .filter(({ kind }) => kind === "team")
              .map(({ name }) => name)
              .join(", ")}
          </span>
        </>
      ),
    },
    {
      id: "role",
      head: t("role"),
      cell: (row) =>
        row.role === "user" ? t("roles.user") : <Tag tone="accent">{t(`roles.${row.role}`)}</Tag>,
    },
    {
      id: "since",
      head: t("since"),
      className: "soft max-md:hidden",
      cell: (row) => <When at={row.created_at} />,
    },
    {
      id: "status",
      head: t("admin:state"),
      className: "max-md:hidden",
      cell: (row) => (
        <State tone={row.status === "active" ? "good" : "bad"}>{t(`status.${row.status}`)}</State>
      ),
    },
    {
      id: "act",
      head: t("common:actions"),
      kind: "act",
      cell: (row) => actions.mayTouch(row) && !row.erased_at && <RowMenu user={row} {...actions} />,
    },
  ]
}
