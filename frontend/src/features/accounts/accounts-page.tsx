import { useQueryClient } from "@tanstack/react-query"
import { getRouteApi } from "@tanstack/react-router"
import { Ellipsis, Gauge, Layers, Pause, Play, Scale, Trash2, Undo2 } from "lucide-react"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { pageQuery, usePages } from "../../api/pages"
import type { Account } from "../../api/types"
import { Amount, Nothing, useLedger } from "../../components/amount"
import { Button } from "../../components/button"
import { Chip } from "../../components/choice"
import { closed, type Open, opened } from "../../components/form-dialog"
import { SearchInput } from "../../components/input"
import { type Column, LedgerTable } from "../../components/ledger-table"
import { Menu, MenuItem, MenuRule } from "../../components/menu"
import { More } from "../../components/more"
import { PageHead } from "../../components/page"
import { useProblemText } from "../../components/problem"
import { State, Tag } from "../../components/state"
import { say } from "../../components/toast"
import { useUrlText } from "../../components/url-text"
import { When } from "../../components/when"
import type { RateLimits } from "../../format/rate-limits"
import { AdjustDialog } from "./adjust-dialog"
import { DeleteTeam, useTeamDeletion } from "./deletion"
import { GroupDialog } from "./group-dialog"
import { LimitsDialog } from "./limits-dialog"
import type { AccountsSearch } from "./search"

const route = getRouteApi("/console/admin/accounts")
type Changes = { group?: string; status?: "active" | "paused"; rate_limits?: RateLimits | null }
const STATUSES = [undefined, "active", "paused"] as const

type Actions = {
  onAdjust: (account: Account) => void
  onGroup: (account: Account) => void
  onLimits: (account: Account) => void
  onPause: (account: Account) => void
  onDelete: (account: Account) => void
  onKeep: (account: Account) => void
}

function RowMenu({ account, ...on }: { account: Account } & Actions) {
  const { t } = useTranslation("admin")
  const isPaused = account.status === "paused"
  const PauseIcon = isPaused ? Play : Pause
  return (
    <Menu
      trigger={
        <Button look="ghost" size="sm" isIcon aria-label={t("actionsFor", { name: account.name })}>
          <Ellipsis className="i" aria-hidden="true" />
        </Button>
      }
    >
      <MenuItem icon={<Scale className="i" aria-hidden="true" />} onPress={() => on.onAdjust(account)}>
        {t("accounts.adjust")}
      </MenuItem>
      <MenuItem icon={<Layers className="i" aria-hidden="true" />} onPress={() => on.onGroup(account)}>
        {t("accounts.changeGroup")}
      </MenuItem>
      <MenuItem icon={<Gauge className="i" aria-hidden="true" />} onPress={() => on.onLimits(account)}>
        {t("accounts.setLimits")}
      </MenuItem>
      <MenuItem icon={<PauseIcon className="i" aria-hidden="true" />} onPress={() => on.onPause(account)}>
        {isPaused ? t("accounts.resume") : t("accounts.pause")}
      </MenuItem>
      {account.kind === "team" && <MenuRule />}
      {account.kind === "team" && !account.deletion_due_at && (
        <MenuItem
          isBad
          icon={<Trash2 className="i" aria-hidden="true" />}
          onPress={() => on.onDelete(account)}
        >
          {t("accounts.deletion.menu")}
        </MenuItem>
      )}
      {account.deletion_due_at && (
        <MenuItem icon={<Undo2 className="i" aria-hidden="true" />} onPress={() => on.onKeep(account)}>
          {t("accounts.deletion.keep")}
        </MenuItem>
      )}
    </Menu>
  )
}

function useColumns(actions: Actions): Column<Account>[] {
  const { t } = useTranslation(["admin", "common"])
  const { sign } = useLedger()
  return [
    {
      id: "account",
      head: t("accounts.account"),
      bone: 160,
      cell: (row) => (
        <>
          <span className="flex flex-wrap items-center gap-2">
            <span className="name">{row.name || t("accounts.deletion.nameless")}</span>
            {row.deletion_due_at && (
              <Tag tone="warn">
                {t("accounts.deletion.due")} <When at={row.deletion_due_at} as="time" />
              </Tag>
            )}
          </span>
          <span className="sub">{row.members.map(({ email }) => email).join(", ")}</span>
        </>
      ),
    },
    { id: "group", head: t("accounts.group"), className: "max-md:hidden", cell: (row) => row.group },
    {
      id: "since",
      head: t("accounts.since"),
      className: "soft max-lg:hidden",
      cell: (row) => <When at={row.created_at} />,
    },
    {
      id: "overrun",
      head: t("accounts.overrun"),
      unit: sign,
      kind: "num",
      className: "max-lg:hidden",
      cell: (row) => (row.overrun === 0 ? <Nothing /> : <Amount quota={row.overrun} as="cost" />),
    },
    {
      id: "balance",
      head: t("common:balance"),
      unit: sign,
      kind: "num",
      cell: (row) => (
        <>
          <Amount quota={row.balance} as="balance" />
          {row.debt > 0 && (
            <span className="sub">
              {t("accounts.owes")} <Amount quota={row.debt} as="balance" />
            </span>
          )}
        </>
      ),
    },
    {
      id: "status",
      head: t("state"),
      className: "max-md:hidden",
      cell: (row) => (
        <State tone={row.status === "active" ? "good" : "off"}>
          {t(row.deleted_at ? "accounts.deletion.deleted" : `accounts.status.${row.status}`)}
        </State>
      ),
    },
    {
      id: "act",
      head: t("common:actions"),
      kind: "act",
      cell: (row) => !row.deleted_at && <RowMenu account={row} {...actions} />,
    },
  ]
}

/** Moving an account to a group, limiting it, pausing it, letting it go on; each holds at every door within a second. */
function useAccountActs() {
  const { t } = useTranslation(["admin", "common"])
  const queries = useQueryClient()
  const textOf = useProblemText()
  const change = async (account: Account, wanted: Changes) => {
    await body(
      api().PATCH("/api/v1/admin/accounts/{account_id}", {
        params: { path: { account_id: account.id } },
        body: wanted,
      }),
    )
    await queries.invalidateQueries({ queryKey: ["admin", "accounts"] })
  }
  const move = async (account: Account, group: string) => {
    await change(account, { group })
    say({ tone: "good", title: t("accounts.moved", { name: account.name, group }) })
  }
  const limit = async (account: Account, limits: RateLimits | null) => {
    await change(account, { rate_limits: limits })
    say({
      tone: "good",
      title: t(limits ? "accounts.limited" : "accounts.unlimited", { name: account.name }),
    })
  }
  const pause = async (account: Account) => {
    const status = account.status === "paused" ? "active" : "paused"
    try {
      await change(account, { status })
    } catch (error) {
      return say({ tone: "bad", title: t("notChanged", { name: account.name }), text: textOf(error) })
    }
    say({
      tone: "good",
      title: t(status === "paused" ? "accounts.paused" : "accounts.resumed", { name: account.name }),
      action: { label: t("common:undo"), onPress: () => void pause({ ...account, status }) },
    })
  }
  return { move, limit, pause }
}

export default function AccountsPage() {
  const { t } = useTranslation("admin")
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const change = (wanted: AccountsSearch) =>
    navigate({ search: (before) => ({ ...before, ...wanted }), replace: true, resetScroll: false })
  const [text, setText] = useUrlText(search.q ?? "", (q) => change({ q: q || undefined }))
  const [adjusted, setAdjusted] = useState<Open<Account>>(null)
  const [moved, setMoved] = useState<Open<Account>>(null)
  const [limited, setLimited] = useState<Open<Account>>(null)
  const [leaving, setLeaving] = useState<Open<Account>>(null)
  const { move, limit, pause } = useAccountActs()
  const { remove, keep } = useTeamDeletion()
  const { rows, error, retry, more } = usePages(["admin", "accounts", search], (cursor, signal) =>
    body(
      api().GET("/api/v1/admin/accounts", { params: { query: { ...pageQuery(cursor), ...search } }, signal }),
    ),
  )
  const columns = useColumns({
    onAdjust: (account) => setAdjusted(opened(account)),
    onGroup: (account) => setMoved(opened(account)),
    onLimits: (account) => setLimited(opened(account)),
    onPause: (account) => void pause(account),
    onDelete: (account) => setLeaving(opened(account)),
    onKeep: (account) => void keep(account),
  })
  const isFiltered = search.q !== undefined || search.status !== undefined
  return (
    <>
      <PageHead title={t("accounts.title")} text={t("accounts.text")} />
      <div className="mb-4 flex flex-wrap items-center gap-3">
        <SearchInput boxClass="md:w-[280px]!" label={t("accounts.search")} value={text} onValue={setText} />
        {/* biome-ignore lint/a11y/useSemanticElements: chips are buttons in a row */}
        <div className="flex flex-wrap gap-2" role="group" aria-label={t("state")}>
          {STATUSES.map((status) => (
            <Chip key={status ?? "all"} isOn={search.status === status} onPress={() => change({ status })}>
              {t(status ? `accounts.status.${status}` : "all")}
            </Chip>
          ))}
        </div>
      </div>
      <LedgerTable
        label={t("accounts.title")}
        isTwoLine
        isSticky
        columns={columns}
        rows={rows}
        keyOf={(row) => row.id}
        error={error}
        onRetry={retry}
        empty={
          <>
            <b>{isFiltered ? t("noneFound") : t("accounts.empty")}</b>
            <p>{isFiltered ? t("noneFoundText") : t("accounts.emptyText")}</p>
          </>
        }
      />
      <More more={more} />
      {adjusted && (
        <AdjustDialog
          account={adjusted.thing}
          isOpen={adjusted.isOpen}
          onClose={() => setAdjusted(closed)}
          onGone={() => setAdjusted(null)}
        />
      )}
      {moved && (
        <GroupDialog
          account={moved.thing}
          isOpen={moved.isOpen}
          onClose={() => setMoved(closed)}
          onGone={() => setMoved(null)}
          onChoose={(group) => move(moved.thing, group)}
        />
      )}
      {leaving && (
        <DeleteTeam
          doomed={leaving}
          onClose={() => setLeaving(closed)}
          onGone={() => setLeaving(null)}
          onDelete={remove}
        />
      )}
      {limited && (
        <LimitsDialog
          account={limited.thing}
          isOpen={limited.isOpen}
          onClose={() => setLimited(closed)}
          onGone={() => setLimited(null)}
          onChoose={(limits) => limit(limited.thing, limits)}
        />
      )}
    </>
  )
}
