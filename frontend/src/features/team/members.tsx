import { useQuery, useQueryClient } from "@tanstack/react-query"
import { Ellipsis, Gauge, ShieldCheck, UserMinus } from "lucide-react"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import type { Member, TeamRole } from "../../api/types"
import { Button } from "../../components/button"
import { Confirm } from "../../components/confirm"
import { closed, FormDialog, type Open, opened } from "../../components/form-dialog"
import { type Column, LedgerTable } from "../../components/ledger-table"
import { Menu, MenuItem } from "../../components/menu"
import { Section } from "../../components/page"
import { Tag } from "../../components/state"
import { say } from "../../components/toast"
import { When } from "../../components/when"
import { MemberBudgetsDialog } from "./member-budgets"
import { membersQuery } from "./queries"
import { RoleField } from "./roles"

type Team = { id: string; own: TeamRole; userId: string; mayWrite: boolean }

function RoleDialog({
  team,
  open,
  onClose,
  onGone,
}: {
  team: Team
  open: NonNullable<Open<Member>>
  onClose: () => void
  onGone: () => void
}) {
  const { t } = useTranslation(["team", "common"])
  const queries = useQueryClient()
  const member = open.thing
  const [role, setRole] = useState<TeamRole>(member.team_role)
  const save = async () => {
    await body(
      api().PATCH("/api/v1/accounts/{account_id}/members/{user_id}", {
        params: { path: { account_id: team.id, user_id: member.user_id } },
        body: { team_role: role },
      }),
    )
    await queries.invalidateQueries({ queryKey: ["members", team.id] })
    if (member.user_id === team.userId) void queries.invalidateQueries({ queryKey: ["me"] })
    say({ tone: "good", title: t("changed", { email: member.email, role: t(`roles.${role}`) }) })
  }
  return (
    <FormDialog
      isOpen={open.isOpen}
      onClose={onClose}
      onGone={onGone}
      title={t("roleTitle", { email: member.email })}
      text={t("roleText")}
      action={t("common:save")}
      onSubmit={save}
    >
      <RoleField own={team.own} value={role} onValue={setRole} />
    </FormDialog>
  )
}

function RowMenu({
  member,
  onRole,
  onBudgets,
  onRemove,
}: {
  member: Member
  onRole: (member: Member) => void
  onBudgets: (member: Member) => void
  onRemove: (member: Member) => void
}) {
  const { t } = useTranslation("team")
  return (
    <Menu
      trigger={
        <Button look="ghost" size="sm" isIcon aria-label={t("actionsFor", { email: member.email })}>
          <Ellipsis className="i" aria-hidden="true" />
        </Button>
      }
    >
      <MenuItem icon={<ShieldCheck className="i" aria-hidden="true" />} onPress={() => onRole(member)}>
        {t("changeRole")}
      </MenuItem>
      <MenuItem icon={<Gauge className="i" aria-hidden="true" />} onPress={() => onBudgets(member)}>
        {t("budgets.act")}
      </MenuItem>
      <MenuItem isBad icon={<UserMinus className="i" aria-hidden="true" />} onPress={() => onRemove(member)}>
        {t("remove")}
      </MenuItem>
    </Menu>
  )
}

function useColumns(
  team: Team,
  onRole: (member: Member) => void,
  onBudgets: (member: Member) => void,
  onRemove: (member: Member) => void,
): Column<Member>[] {
  const { t } = useTranslation(["team", "common"])
  return [
    {
      id: "member",
      head: t("member"),
      bone: 180,
      cell: (row) => (
        <span className="flex flex-wrap items-center gap-2">
          <span className="name">{row.email}</span>
          {row.user_id === team.userId && <Tag tone="accent">{t("you")}</Tag>}
          {row.status === "banned" && <Tag tone="bad">{t("banned")}</Tag>}
        </span>
      ),
    },
    { id: "role", head: t("role"), cell: (row) => t(`roles.${row.team_role}`) },
    {
      id: "keys",
      head: t("keys"),
      kind: "num",
      className: "max-md:hidden",
      cell: (row) => <span className="fig">{row.keys}</span>,
    },
    {
      id: "joined",
      head: t("joined"),
      className: "soft max-md:hidden",
      cell: (row) => <When at={row.joined_at} />,
    },
    {
      id: "act",
      head: t("common:actions"),
      kind: "act",
      cell: (row) =>
        team.mayWrite &&
        row.user_id !== team.userId &&
        (row.team_role !== "owner" || team.own === "owner") && (
          <RowMenu member={row} onRole={onRole} onBudgets={onBudgets} onRemove={onRemove} />
        ),
    },
  ]
}

/** Who belongs to the team; roles and removal for those who may. */
export function Members({ team }: { team: Team }) {
  const { t } = useTranslation("team")
  const queries = useQueryClient()
  const [role, setRole] = useState<Open<Member>>(null)
  const [bound, setBound] = useState<Open<Member>>(null)
  const [doomed, setDoomed] = useState<Member | null>(null)
  const [isAsking, setAsking] = useState(false)
  const { data, error, refetch } = useQuery(membersQuery(team.id))
  const remove = async (member: Member) => {
    const parted = await body(
      api().DELETE("/api/v1/accounts/{account_id}/members/{user_id}", {
        params: { path: { account_id: team.id, user_id: member.user_id } },
      }),
    )
    await queries.invalidateQueries({ queryKey: ["members", team.id] })
    void queries.invalidateQueries({ queryKey: ["keys"] })
    const count = parted.keys_disabled.length
    say({
      tone: "good",
      title: t("removed", { email: member.email }),
      ...(count > 0 && { text: t("keysDisabled", { count }) }),
    })
  }
  const columns = useColumns(
    team,
    (member) => setRole(opened(member)),
    (member) => setBound(opened(member)),
    (member) => {
      setDoomed(member)
      setAsking(true)
    },
  )
  return (
    <Section title={t("members")}>
      <LedgerTable
        label={t("members")}
        columns={columns}
        rows={data}
        keyOf={(row) => row.user_id}
        error={error}
        onRetry={() => void refetch()}
        bones={3}
        empty={<p>{t("membersEmpty")}</p>}
      />
      {role && (
        <RoleDialog
          key={role.thing.user_id}
          team={team}
          open={role}
          onClose={() => setRole(closed)}
          onGone={() => setRole(null)}
        />
      )}
      {bound && (
        <MemberBudgetsDialog
          key={bound.thing.user_id}
          accountId={team.id}
          open={bound}
          onClose={() => setBound(closed)}
          onGone={() => setBound(null)}
        />
      )}
      {doomed && (
        <Confirm
          isOpen={isAsking}
          onClose={() => setAsking(false)}
          title={t("removeTitle", { email: doomed.email })}
          text={doomed.keys > 0 ? t("removeKeysText", { count: doomed.keys }) : t("removeText")}
          action={t("removeAction")}
          onConfirm={() => remove(doomed)}
        />
      )}
    </Section>
  )
}
