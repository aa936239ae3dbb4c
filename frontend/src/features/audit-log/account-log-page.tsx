import { useSuspenseQuery } from "@tanstack/react-query"
import { getRouteApi } from "@tanstack/react-router"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { pageQuery, usePages } from "../../api/pages"
import { meQuery } from "../../api/queries"
import { LedgerTable } from "../../components/ledger-table"
import { More } from "../../components/more"
import { Note } from "../../components/note"
import { PageHead } from "../../components/page"
import { ActDialog } from "./act-panel"
import { useColumns } from "./columns"
import { FilterBar } from "./filter-bar"
import type { AccountLogSearch } from "./search"

const route = getRouteApi("/console/audit-log")
/** What is looked for first in an account; any other beginning of an action can be typed. */
const NOUNS = ["key", "member", "invitation", "token", "balance", "order", "account", "alert"] as const

function Acts() {
  const { t } = useTranslation("audit-log")
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const change = (wanted: AccountLogSearch) =>
    void navigate({ search: (before) => ({ ...before, ...wanted }), replace: true, resetScroll: false })
  const { action } = search
  const { rows, error, retry, more } = usePages(["audit-log", action ?? ""], (cursor, signal) =>
    body(
      api().GET("/api/v1/audit-log", {
        params: { query: { ...pageQuery(cursor), ...(action && { action }) } },
        signal,
      }),
    ),
  )
  const columns = useColumns(null)
  const opened = rows?.find((row) => row.id === search.act)
  return (
    <>
      <FilterBar
        find={t("findOwn")}
        nouns={NOUNS}
        action={action}
        onAction={(wanted) => change({ action: wanted })}
      />
      <LedgerTable
        label={t("accountTitle")}
        isTwoLine
        isSticky
        columns={columns}
        rows={rows}
        keyOf={(row) => row.id}
        error={error}
        onRetry={retry}
        onOpen={(row) => change({ act: row.id })}
        isOn={(row) => row.id === search.act}
        empty={
          <>
            <b>{t(action ? "noneFound" : "empty")}</b>
            <p>{t(action ? "noneFoundText" : "accountEmptyText")}</p>
          </>
        }
      />
      <More more={more} />
      {opened && <ActDialog act={opened} onClose={() => change({ act: undefined })} />}
    </>
  )
}

/** Who did what in the account that one works in, newest first. */
export default function AccountLogPage() {
  const { t } = useTranslation("audit-log")
  const { data: me } = useSuspenseQuery(meQuery)
  const isAllowed = me.account.permissions.includes("acts.read")
  return (
    <>
      <PageHead title={t("accountTitle")} text={t("accountText")} />
      {isAllowed ? <Acts /> : <Note>{t("accountNotYours")}</Note>}
    </>
  )
}
