import { useQuery, useQueryClient, useSuspenseQuery } from "@tanstack/react-query"
import { useTranslation } from "react-i18next"
import { api, body } from "../../api/client"
import { meQuery, timeZoneQuery } from "../../api/queries"
import { Field } from "../../components/field"
import { Select } from "../../components/input"
import { Block } from "../../components/page"
import { useProblemText } from "../../components/problem"
import { say } from "../../components/toast"

/** The zone whose midnight begins the days, weeks and months of every budget. */
export function Zone() {
  const { t } = useTranslation("alerts")
  const textOf = useProblemText()
  const queries = useQueryClient()
  const { data: me } = useSuspenseQuery(meQuery)
  const query = timeZoneQuery(me.account.id)
  const { data: zone } = useQuery(query)
  const zones = ["UTC", ...Intl.supportedValuesOf("timeZone")]
  const choose = async (chosen: string) => {
    try {
      await body(
        api().PUT("/api/v1/accounts/{account_id}/time-zone", {
          params: { path: { account_id: me.account.id } },
          body: { time_zone: chosen },
        }),
      )
      await Promise.all([
        queries.invalidateQueries({ queryKey: query.queryKey }),
        queries.invalidateQueries({ queryKey: ["keys"] }),
      ])
      say({ tone: "good", title: t("zone.saved", { zone: chosen }) })
    } catch (error) {
      say({ tone: "bad", title: t("failedAct"), text: textOf(error) })
    }
  }
  return (
    <Block title={t("zone.title")} className="mt-10">
      <div className="max-w-[25rem]">
        <Field label={t("zone.label")} help={t("zone.help")}>
          {(ids) => (
            <Select
              {...ids}
              value={zone ?? ""}
              disabled={zone === undefined}
              onChange={(event) => void choose(event.target.value)}
            >
              {zone !== undefined && !zones.includes(zone) && <option value={zone}>{zone}</option>}
              {zones.map((name) => (
                <option key={name} value={name}>
                  {name}
                </option>
              ))}
            </Select>
          )}
        </Field>
      </div>
    </Block>
  )
}
