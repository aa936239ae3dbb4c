import { queryOptions, useQuery, useQueryClient, useSuspenseQuery } from "@tanstack/react-query"
import { Ellipsis, Pencil, Plug, Plus, Power, Trash2 } from "lucide-react"
import { useState } from "react"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { meQuery, statusQuery } from "../../api/queries"
import type { IdentityProvider, IdentityProviderInput } from "../../api/types"
import { Button } from "../../components/button"
import { Confirm } from "../../components/confirm"
import { CopyButton } from "../../components/copy"
import { closed, type Open, opened } from "../../components/form-dialog"
import { type Column, LedgerTable } from "../../components/ledger-table"
import { Menu, MenuItem, MenuRule } from "../../components/menu"
import { Note } from "../../components/note"
import { PageHead } from "../../components/page"
import { useProblemText } from "../../components/problem"
import { State } from "../../components/state"
import { say } from "../../components/toast"
import { ProviderForm } from "./provider-form"

const providersQuery = queryOptions({
  queryKey: ["admin", "identity-providers"],
  queryFn: ({ signal }) => body(api().GET("/api/v1/admin/identity-providers", { signal })),
})

const at = ({ id }: IdentityProvider) => ({ params: { path: { provider: id } } })

/** Where people can sign in with identities of elsewhere; an owner's page. */
export default function IdentityProvidersPage() {
  const { t } = useTranslation(["identity-providers", "common"])
  const textOf = useProblemText()
  const queries = useQueryClient()
  const { data: me } = useSuspenseQuery(meQuery)
  const isOwner = me.user.role === "owner"
  const { data, error, refetch } = useQuery({ ...providersQuery, enabled: isOwner })
  const [form, setForm] = useState<Open<IdentityProvider | null>>(null)
  const [doomed, setDoomed] = useState<Open<IdentityProvider>>(null)
  const changed = async () => {
    await queries.invalidateQueries({ queryKey: providersQuery.queryKey })
    await queries.invalidateQueries({ queryKey: statusQuery.queryKey })
  }
  const save = async (edited: IdentityProvider | null, { id, kind, ...input }: IdentityProviderInput) => {
    if (edited) {
      const { client_secret, ...rest } = input
      const changes = client_secret ? input : rest
      await body(api().PATCH("/api/v1/admin/identity-providers/{provider}", { ...at(edited), body: changes }))
    } else await body(api().POST("/api/v1/admin/identity-providers", { body: { id, kind, ...input } }))
    await changed()
    say({ tone: "good", title: t("saved", { name: input.label }) })
  }
  const test = async (row: IdentityProvider) => {
    try {
      await body(api().POST("/api/v1/admin/identity-providers/{provider}/test", at(row)))
      say({ tone: "good", title: t("works", { name: row.label }) })
    } catch (refused) {
      say({ tone: "bad", title: t("worksNot", { name: row.label }), text: textOf(refused) })
    }
  }
  const turn = async (row: IdentityProvider) => {
    try {
      const change = { is_enabled: !row.is_enabled }
      await body(api().PATCH("/api/v1/admin/identity-providers/{provider}", { ...at(row), body: change }))
      await changed()
    } catch (refused) {
      say({ tone: "bad", title: row.label, text: textOf(refused) })
    }
  }
  const remove = async (row: IdentityProvider) => {
    await body(api().DELETE("/api/v1/admin/identity-providers/{provider}", at(row)))
    await changed()
    say({ tone: "good", title: t("deleted", { name: row.label }) })
  }
  const columns: Column<IdentityProvider>[] = [
    {
      id: "label",
      head: t("label"),
      cell: (row) => (
        <>
          <span className="name">{row.label}</span>
          <span className="sub mono">{row.issuer}</span>
        </>
      ),
    },
    {
      id: "state",
      head: t("state"),
      cell: (row) =>
        row.is_enabled ? <State tone="good">{t("on")}</State> : <State tone="off">{t("off")}</State>,
    },
    {
      id: "redirect",
      head: t("redirect"),
      className: "max-lg:hidden",
      cell: (row) => <CopyButton text={row.redirect_uri} label={t("copyRedirect")} />,
    },
    {
      id: "people",
      head: t("people"),
      kind: "num",
      className: "max-sm:hidden",
      cell: (row) => row.identities,
    },
    {
      id: "act",
      head: t("common:actions"),
      kind: "act",
      cell: (row) => (
        <Menu
          trigger={
            <Button look="ghost" size="sm" isIcon aria-label={t("actionsFor", { name: row.label })}>
              <Ellipsis className="i" aria-hidden="true" />
            </Button>
          }
        >
          <MenuItem icon={<Pencil className="i" aria-hidden="true" />} onPress={() => setForm(opened(row))}>
            {t("edit")}
          </MenuItem>
          <MenuItem icon={<Plug className="i" aria-hidden="true" />} onPress={() => void test(row)}>
            {t("test")}
          </MenuItem>
          <MenuItem icon={<Power className="i" aria-hidden="true" />} onPress={() => void turn(row)}>
            {t(row.is_enabled ? "turnOff" : "turnOn")}
          </MenuItem>
          <MenuRule />
          <MenuItem
            isBad
            icon={<Trash2 className="i" aria-hidden="true" />}
            onPress={() => setDoomed(opened(row))}
          >
            {t("delete")}
          </MenuItem>
        </Menu>
      ),
    },
  ]
  return (
    <>
      <PageHead title={t("title")} text={t("text")}>
        {isOwner && (
          <Button look="primary" onClick={() => setForm(opened(null))}>
            <Plus className="i" aria-hidden="true" />
            {t("new")}
          </Button>
        )}
      </PageHead>
      {isOwner ? (
        <LedgerTable
          label={t("title")}
          isTwoLine
          columns={columns}
          rows={data?.items}
          keyOf={(row) => row.id}
          error={error}
          onRetry={() => void refetch()}
          empty={
            <>
              <b>{t("empty")}</b>
              <p>{t("emptyText")}</p>
            </>
          }
        />
      ) : (
        <Note>{t("ownersOnly")}</Note>
      )}
      {form && (
        <ProviderForm
          isOpen={form.isOpen}
          edited={form.thing}
          onClose={() => setForm(closed)}
          onGone={() => setForm(null)}
          onSubmit={(input) => save(form.thing, input)}
        />
      )}
      {doomed && (
        <Confirm
          isOpen={doomed.isOpen}
          onClose={() => setDoomed(closed)}
          title={t("deleteTitle", { name: doomed.thing.label })}
          text={t("deleteText")}
          action={t("delete")}
          onConfirm={() => remove(doomed.thing)}
        />
      )}
    </>
  )
}
