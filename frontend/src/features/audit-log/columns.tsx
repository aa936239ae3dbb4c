import { useTranslation } from "react-i18next"
import type { Act } from "../../api/types"
import type { Column } from "../../components/ledger-table"
import { When } from "../../components/when"

function nameOf(row: Act): string | undefined {
  return row.user_email ?? row.user_id?.slice(0, 8)
}

/** On a phone who it was stands where the id of the thing is elsewhere. `onPerson` null: who it was is said, but cannot be looked for. */
export function useColumns(onPerson: ((id: string) => void) | null): Column<Act>[] {
  const { t } = useTranslation("audit-log")
  return [
    {
      id: "action",
      head: t("what"),
      bone: 160,
      cell: (row) => (
        <>
          <span className="name mono">{row.action}</span>
          <span className="sub max-md:hidden">{[row.subject, row.subject_id].filter(Boolean).join(" ")}</span>
          <span className="sub wrap-anywhere md:hidden">{nameOf(row) ?? t("house")}</span>
        </>
      ),
    },
    {
      id: "who",
      head: t("who"),
      className: "max-md:hidden",
      bone: 140,
      cell: (row) => {
        const name = nameOf(row)
        if (!name) return <span className="text-ink-3">{t("house")}</span>
        if (!onPerson) return <span className="wrap-anywhere">{name}</span>
        return (
          <button
            type="button"
            className="link text-left"
            onClick={(event) => {
              event.stopPropagation()
              if (row.user_id) onPerson(row.user_id)
            }}
          >
            {name}
          </button>
        )
      },
    },
    { id: "from", head: t("from"), className: "soft max-lg:hidden", cell: (row) => row.address ?? "–" },
    { id: "when", head: t("when"), className: "soft", cell: (row) => <When at={row.created_at} /> },
  ]
}
