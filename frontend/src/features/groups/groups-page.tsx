import { useQuery, useQueryClient } from "@tanstack/react-query"
import { Ellipsis, Pencil, Plus, Trash2 } from "lucide-react"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { groupsQuery } from "../../api/operator-queries"
import type { Group, GroupChanges } from "../../api/types"
import { Button } from "../../components/button"
import { Confirm } from "../../components/confirm"
import { closed, type Open, opened } from "../../components/form-dialog"
import { type Column, LedgerTable } from "../../components/ledger-table"
import { Menu, MenuItem, MenuRule } from "../../components/menu"
import { PageHead } from "../../components/page"
import { say } from "../../components/toast"
import { multiplierText } from "../../format/quota"
import { GroupForm } from "./group-form"

type Actions = { onEdit: (group: Group) => void; onDelete: (group: Group) => void }

function useColumns({ onEdit, onDelete }: Actions): Column<Group>[] {
  const { t } = useTranslation(["admin", "common"])
  return [
    {
      id: "group",
      head: t("groups.group"),
      cell: (row) => (
        <>
          <span className="name mono">{row.name}</span>
          {row.label && <span className="sub">{row.label}</span>}
        </>
      ),
    },
    {
      id: "multiplier",
      head: t("groups.multiplier"),
      kind: "num",
      cell: (row) => multiplierText(row.multiplier_micros),
    },
    {
      id: "seen",
      head: t("groups.seen"),
      cell: (row) => t(row.is_public ? "groups.isPublic" : "groups.isPrivate"),
    },
    {
      id: "usable",
      head: t("groups.usableBy"),
      className: "soft max-lg:hidden",
      cell: (row) => row.usable_by.join(", ") || t("groups.onlyItself"),
    },
    {
      id: "models",
      head: t("groups.models"),
      className: "soft max-md:hidden",
      cell: (row) =>
        row.models === null ? (
          t("groups.allModels")
        ) : (
          <span title={row.models.join(", ")}>{t("channels.nModels", { count: row.models.length })}</span>
        ),
    },
    {
      id: "act",
      head: t("common:actions"),
      kind: "act",
      cell: (row) => (
        <Menu
          trigger={
            <Button look="ghost" size="sm" isIcon aria-label={t("actionsFor", { name: row.name })}>
              <Ellipsis className="i" aria-hidden="true" />
            </Button>
          }
        >
          <MenuItem icon={<Pencil className="i" aria-hidden="true" />} onPress={() => onEdit(row)}>
            {t("edit")}
          </MenuItem>
          <MenuRule />
          <MenuItem isBad icon={<Trash2 className="i" aria-hidden="true" />} onPress={() => onDelete(row)}>
            {t("delete")}
          </MenuItem>
        </Menu>
      ),
    },
  ]
}

export default function GroupsPage() {
  const { t } = useTranslation("admin")
  const queries = useQueryClient()
  const [form, setForm] = useState<Open<Group | null>>(null)
  const [doomed, setDoomed] = useState<Open<Group>>(null)
  const { data, error, refetch } = useQuery(groupsQuery)
  const columns = useColumns({
    onEdit: (group) => setForm(opened(group)),
    onDelete: (group) => setDoomed(opened(group)),
  })
  const refresh = async () => {
    await queries.invalidateQueries({ queryKey: groupsQuery.queryKey })
    await queries.invalidateQueries({ queryKey: ["pricing"] })
  }
  const save = async (edited: Group | null, name: string, changes: GroupChanges) => {
    if (edited)
      await body(api().PATCH("/api/v1/admin/groups/{name}", { params: { path: { name } }, body: changes }))
    else
      await body(
        api().POST("/api/v1/admin/groups", {
          params: { query: { create: "only" } },
          body: { name, ...changes },
        }),
      )
    await refresh()
    say({ tone: "good", title: t("saved", { name }) })
  }
  const remove = async ({ name }: Group) => {
    await body(api().DELETE("/api/v1/admin/groups/{name}", { params: { path: { name } } }))
    await refresh()
    say({ tone: "good", title: t("deleted", { name }) })
  }
  return (
    <>
      <PageHead title={t("groups.title")} text={t("groups.text")}>
        <Button look="primary" onClick={() => setForm(opened(null))}>
          <Plus className="i" aria-hidden="true" />
          {t("groups.new")}
        </Button>
      </PageHead>
      <LedgerTable
        label={t("groups.title")}
        isTwoLine
        isSticky
        columns={columns}
        rows={data}
        keyOf={(row) => row.name}
        error={error}
        onRetry={() => void refetch()}
        empty={
          <>
            <b>{t("groups.empty")}</b>
            <p>{t("groups.emptyText")}</p>
          </>
        }
      />
      {form && (
        <GroupForm
          isOpen={form.isOpen}
          edited={form.thing}
          groups={data?.map(({ name }) => name) ?? []}
          onClose={() => setForm(closed)}
          onGone={() => setForm(null)}
          onSubmit={(name, changes) => save(form.thing, name, changes)}
        />
      )}
      {doomed && (
        <Confirm
          isOpen={doomed.isOpen}
          onClose={() => setDoomed(closed)}
          title={t("deleteTitle", { name: doomed.thing.name })}
          text={t("groups.deleteText")}
          action={t("deleteAction", { name: doomed.thing.name })}
          onConfirm={() => remove(doomed.thing)}
        />
      )}
    </>
  )
}
