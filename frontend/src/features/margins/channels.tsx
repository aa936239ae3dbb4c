import { useQuery } from "@tanstack/react-query"
import { useTranslation } from "react-i18next"
import { channelsQuery } from "../../api/operator-queries"
import { ButtonLink } from "../../components/button"
import { LedgerTable } from "../../components/ledger-table"
import { Section } from "../../components/page"
import { countText } from "../../format/quota"

/** Where costs are said: one line for each channel, with the way to it. */
export function Channels() {
  const { t } = useTranslation("margins")
  const { data, error, refetch } = useQuery(channelsQuery)
  return (
    <Section title={t("channels")} text={t("channelsText")}>
      <LedgerTable
        label={t("channels")}
        columns={[
          {
            id: "name",
            head: t("by.channel"),
            cell: (row) => <span className="name">{row.name}</span>,
          },
          {
            id: "models",
            head: t("models"),
            kind: "num",
            cell: (row) => <span className="fig">{countText(Object.keys(row.models).length)}</span>,
          },
          {
            id: "act",
            head: t("costs"),
            kind: "act",
            cell: (row) => (
              <ButtonLink
                size="sm"
                to="/console/admin/channels/$channelId/costs"
                params={{ channelId: row.id }}
                aria-label={t("costsOf", { name: row.name })}
              >
                {t("costs")}
              </ButtonLink>
            ),
          },
        ]}
        rows={data}
        keyOf={(row) => row.id}
        error={error}
        onRetry={() => void refetch()}
        bones={3}
        empty={<p>{t("noChannels")}</p>}
      />
    </Section>
  )
}
