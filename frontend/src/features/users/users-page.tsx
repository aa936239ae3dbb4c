import { useQueryClient, useSuspenseQuery } from "@tanstack/react-query"
import { getRouteApi } from "@tanstack/react-router"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { pageQuery, usePages } from "../../api/pages"
import { meQuery } from "../../api/queries"
import type { User } from "../../api/types"
import { Chip } from "../../components/choice"
import { Confirm } from "../../components/confirm"
import { closed, type Open, opened } from "../../components/form-dialog"
import { SearchInput } from "../../components/input"
import { LedgerTable } from "../../components/ledger-table"
import { More } from "../../components/more"
import { PageHead } from "../../components/page"
import { useProblemText } from "../../components/problem"
import { say } from "../../components/toast"
import { useUrlText } from "../../components/url-text"
import { DeleteUser, useDeletion } from "./deletion"
import { PasswordLink } from "./password-link"
import { RoleDialog } from "./role-dialog"
import type { UsersSearch } from "./search"
import { useColumns } from "./user-columns"

const route = getRouteApi("/console/admin/users")
const ROLES = ["user", "operator", "owner"] as const

function useUserActs() {
  const { t } = useTranslation("users")
  const queries = useQueryClient()
  const textOf = useProblemText()
  const change = async (user: User, wanted: { role?: User["role"]; status?: User["status"] }) => {
    await body(
      api().PATCH("/api/v1/admin/users/{user_id}", { params: { path: { user_id: user.id } }, body: wanted }),
    )
    await queries.invalidateQueries({ queryKey: ["admin", "users"] })
  }
  const appoint = async (user: User, role: User["role"]) => {
    await change(user, { role })
    say({ tone: "good", title: t("appointed", { email: user.email, role: t(`roles.${role}`) }) })
  }
  const ban = async (user: User) => {
    await change(user, { status: "banned" })
    say({ tone: "good", title: t("banned", { email: user.email }) })
  }
  const unban = async (user: User) => {
    try {
      await change(user, { status: "active" })
    } catch (error) {
      return say({ tone: "bad", title: t("notChanged", { email: user.email }), text: textOf(error) })
    }
    say({ tone: "good", title: t("unbanned", { email: user.email }) })
  }
  const withdraw = async (user: User) => {
    await body(
      api().DELETE("/api/v1/admin/users/{user_id}/second-factor", {
        params: { path: { user_id: user.id } },
      }),
    )
    await queries.invalidateQueries({ queryKey: ["admin", "users"] })
    say({ tone: "good", title: t("factor.done", { email: user.email }) })
  }
  return { appoint, ban, unban, withdraw }
}

function Tools({ search, onChange }: { search: UsersSearch; onChange: (wanted: UsersSearch) => void }) {
  const { t } = useTranslation(["users", "admin"])
  const [text, setText] = useUrlText(search.q ?? "", (q) => onChange({ q: q || undefined }))
  return (
    <div className="mb-4 flex flex-wrap items-center gap-3">
      <SearchInput boxClass="md:w-[280px]!" label={t("search")} value={text} onValue={setText} />
      {/* biome-ignore lint/a11y/useSemanticElements: chips are buttons in a row */}
      <div className="flex flex-wrap gap-2" role="group" aria-label={t("role")}>
        <Chip
          isOn={!search.role && !search.status}
          onPress={() => onChange({ role: undefined, status: undefined })}
        >
          {t("admin:all")}
        </Chip>
        {ROLES.map((role) => (
          <Chip
            key={role}
            isOn={search.role === role}
            onPress={() => onChange({ role: search.role === role ? undefined : role })}
          >
            {t(`roles.${role}`)}
          </Chip>
        ))}
        <Chip
          isOn={search.status === "banned"}
          onPress={() => onChange({ status: search.status ? undefined : "banned" })}
        >
          {t("status.banned")}
        </Chip>
      </div>
    </div>
  )
}

/** Everybody who signs in. Operators ban; only an owner appoints, and touches operators. */
export default function UsersPage() {
  const { t } = useTranslation(["users", "admin"])
  const { data: me } = useSuspenseQuery(meQuery)
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const change = (wanted: UsersSearch) =>
    navigate({ search: (before) => ({ ...before, ...wanted }), replace: true, resetScroll: false })
  const [appointed, setAppointed] = useState<Open<User>>(null)
  const [doomed, setDoomed] = useState<Open<User>>(null)
  const [leaving, setLeaving] = useState<Open<User>>(null)
  const [locked, setLocked] = useState<Open<User>>(null)
  const [forgetful, setForgetful] = useState<Open<User>>(null)
  const { appoint, ban, unban, withdraw } = useUserActs()
  const { remove, keep } = useDeletion()
  const { rows, error, retry, more } = usePages(["admin", "users", search], (cursor, signal) =>
    body(
      api().GET("/api/v1/admin/users", { params: { query: { ...pageQuery(cursor), ...search } }, signal }),
    ),
  )
  const isOwner = me.user.role === "owner"
  const columns = useColumns(me.user.id, {
    mayTouch: (user) => user.id !== me.user.id && (isOwner || user.role === "user"),
    mayAppoint: isOwner,
    onRole: (user) => setAppointed(opened(user)),
    onBan: (user) => setDoomed(opened(user)),
    onUnban: (user) => void unban(user),
    onPasswordLink: (user) => setForgetful(opened(user)),
    onWithdraw: (user) => setLocked(opened(user)),
    onDelete: (user) => setLeaving(opened(user)),
    onKeep: (user) => void keep(user),
  })
  const isFiltered = Object.keys(search).length > 0
  return (
    <>
      <PageHead title={t("title")} text={t("text")} />
      <Tools search={search} onChange={change} />
      <LedgerTable
        label={t("title")}
        isTwoLine
        isSticky
        columns={columns}
        rows={rows}
        keyOf={(row) => row.id}
        error={error}
        onRetry={retry}
        empty={
          <>
            <b>{isFiltered ? t("admin:noneFound") : t("empty")}</b>
            {isFiltered && <p>{t("admin:noneFoundText")}</p>}
          </>
        }
      />
      <More more={more} />
      {appointed && (
        <RoleDialog
          key={appointed.thing.id}
          user={appointed.thing}
          isOpen={appointed.isOpen}
          onClose={() => setAppointed(closed)}
          onGone={() => setAppointed(null)}
          onChoose={(role) => appoint(appointed.thing, role)}
        />
      )}
      {leaving && (
        <DeleteUser
          doomed={leaving}
          onClose={() => setLeaving(closed)}
          onGone={() => setLeaving(null)}
          onDelete={remove}
        />
      )}
      {doomed && (
        <Confirm
          isOpen={doomed.isOpen}
          onClose={() => setDoomed(closed)}
          title={t("banTitle", { email: doomed.thing.email })}
          text={t("banText")}
          action={t("banAction")}
          onConfirm={() => ban(doomed.thing)}
        />
      )}
      {forgetful && (
        <PasswordLink
          key={forgetful.thing.id}
          forgetful={forgetful}
          onClose={() => setForgetful(closed)}
          onGone={() => setForgetful(null)}
        />
      )}
      {locked && (
        <Confirm
          isOpen={locked.isOpen}
          onClose={() => setLocked(closed)}
          title={t("factor.title", { email: locked.thing.email })}
          text={t("factor.text")}
          action={t("factor.action")}
          onConfirm={() => withdraw(locked.thing)}
        />
      )}
    </>
  )
}
