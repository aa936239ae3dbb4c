import { useQuery, useQueryClient, useSuspenseQuery } from "@tanstack/react-query"
import { Ellipsis, LogOut, Pencil, Plus, Trash2, UserPlus } from "lucide-react"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body, onceOnly } from "../../api/client"
import { meQuery } from "../../api/queries"
import { chooseAccount } from "../../api/session"
import type { Me } from "../../api/types"
import { Button } from "../../components/button"
import { Confirm } from "../../components/confirm"
import { Menu, MenuItem, MenuRule } from "../../components/menu"
import { Note } from "../../components/note"
import { Block, PageHead } from "../../components/page"
import { say } from "../../components/toast"
import { DeleteTeam, DeletionBanner } from "./deletion"
import { Invitations } from "./invitations"
import { InviteDialog } from "./invite-dialog"
import { Members } from "./members"
import { teamsQuery } from "./queries"
import { NameDialog } from "./team-dialogs"

type Account = Me["account"]

function useCreate() {
  const { t } = useTranslation("team")
  return async (name: string) => {
    const team = await body(
      api().POST("/api/v1/accounts", { body: { name }, headers: { "Idempotency-Key": onceOnly() } }),
    )
    chooseAccount(team.id)
    say({ tone: "good", title: t("made", { name: team.name }), text: t("madeText") })
  }
}

/** In one's own account: what a team is, the teams one belongs to, and a way to make one. */
function OwnAccount({ me }: { me: Me }) {
  const { t } = useTranslation("team")
  const [isNaming, setNaming] = useState(false)
  const create = useCreate()
  const { data } = useQuery(teamsQuery)
  const teams = me.accounts.filter(({ kind }) => kind === "team")
  return (
    <>
      <PageHead title={t("title")} text={t("text")}>
        {data?.may_create && (
          <Button look="primary" onClick={() => setNaming(true)}>
            <Plus className="i" aria-hidden="true" />
            {t("new")}
          </Button>
        )}
      </PageHead>
      <Block title={t("yours")}>
        {teams.length === 0 ? (
          <p className="max-w-[60ch] text-ink-2">{data?.may_create ? t("none") : t("noneMay")}</p>
        ) : (
          <ul className="grid max-w-[40rem]">
            {teams.map((team) => (
              <li key={team.id} className="flex items-center gap-3 border-b border-rule py-2.5">
                <span className="min-w-0 flex-1">
                  <span className="block wrap-anywhere">{team.name}</span>
                  <span className="text-13 text-ink-3">{t(`roles.${team.team_role}`)}</span>
                </span>
                <Button
                  size="sm"
                  aria-label={t("openTeam", { name: team.name })}
                  onClick={() => chooseAccount(team.id)}
                >
                  {t("open")}
                </Button>
              </li>
            ))}
          </ul>
        )}
      </Block>
      <NameDialog isOpen={isNaming} onClose={() => setNaming(false)} onName={create} />
    </>
  )
}

function TeamMenu({
  account,
  onRename,
  onLeave,
  onDelete,
}: {
  account: Account
  onRename: () => void
  onLeave: () => void
  onDelete: () => void
}) {
  const { t } = useTranslation("team")
  const isOwner = account.permissions.includes("account.write")
  return (
    <Menu
      trigger={
        <Button isIcon aria-label={t("actionsFor", { email: account.name })}>
          <Ellipsis className="i" aria-hidden="true" />
        </Button>
      }
    >
      {isOwner && (
        <MenuItem icon={<Pencil className="i" aria-hidden="true" />} onPress={onRename}>
          {t("rename")}
        </MenuItem>
      )}
      <MenuItem icon={<LogOut className="i" aria-hidden="true" />} onPress={onLeave}>
        {t("leave")}
      </MenuItem>
      {isOwner && (
        <>
          <MenuRule />
          <MenuItem isBad icon={<Trash2 className="i" aria-hidden="true" />} onPress={onDelete}>
            {t("delete")}
          </MenuItem>
        </>
      )}
    </Menu>
  )
}

function useTeamActs(account: Account) {
  const { t } = useTranslation("team")
  const queries = useQueryClient()
  const params = { path: { account_id: account.id } }
  const rename = async (name: string) => {
    await body(api().PATCH("/api/v1/accounts/{account_id}", { params, body: { name } }))
    await queries.invalidateQueries({ queryKey: ["me"] })
    say({ tone: "good", title: t("renamed", { name }) })
  }
  const leave = async () => {
    await body(api().DELETE("/api/v1/accounts/{account_id}/members/me", { params }))
    chooseAccount(null)
    say({ tone: "good", title: t("left", { name: account.name }) })
  }
  return { rename, leave }
}

function TeamAccount({ me }: { me: Me }) {
  const { t } = useTranslation("team")
  const { account } = me
  const may = (permission: string) => account.permissions.includes(permission)
  const [open, setOpen] = useState<"invite" | "rename" | "leave" | "delete" | null>(null)
  const close = () => setOpen(null)
  const { rename, leave } = useTeamActs(account)
  return (
    <>
      <PageHead title={account.name} text={t("youAre", { role: t(`roles.${account.team_role}`) })}>
        <TeamMenu
          account={account}
          onRename={() => setOpen("rename")}
          onLeave={() => setOpen("leave")}
          onDelete={() => setOpen("delete")}
        />
        {may("members.write") && (
          <Button look="primary" onClick={() => setOpen("invite")}>
            <UserPlus className="i" aria-hidden="true" />
            {t("invite")}
          </Button>
        )}
      </PageHead>
      <DeletionBanner account={account} />
      {may("members.read") ? (
        <>
          <Members
            team={{
              id: account.id,
              own: account.team_role,
              userId: me.user.id,
              mayWrite: may("members.write"),
            }}
          />
          <Invitations account={account.id} mayWrite={may("members.write")} />
        </>
      ) : (
        <Note>{t(`may.${account.team_role}`)}</Note>
      )}
      <InviteDialog account={account.id} own={account.team_role} isOpen={open === "invite"} onClose={close} />
      <NameDialog
        key={account.name}
        before={account.name}
        isOpen={open === "rename"}
        onClose={close}
        onName={rename}
      />
      <Confirm
        isOpen={open === "leave"}
        onClose={close}
        title={t("leaveTitle", { name: account.name })}
        text={t("leaveText")}
        action={t("leaveAction")}
        onConfirm={leave}
      />
      <DeleteTeam account={account} isOpen={open === "delete"} onClose={close} />
    </>
  )
}

export default function TeamPage() {
  const { data: me } = useSuspenseQuery(meQuery)
  return me.account.kind === "team" ? <TeamAccount key={me.account.id} me={me} /> : <OwnAccount me={me} />
}
