import { queryOptions, useQuery, useSuspenseQuery } from "@tanstack/react-query"
import { api, body } from "../../api/client"
import { meQuery } from "../../api/queries"

const referralQuery = queryOptions({
  queryKey: ["referral"],
  queryFn: ({ signal }) => body(api().GET("/api/v1/referral", { signal })),
  staleTime: 30_000,
})

/** Only personal accounts bring people; a team's is not asked. */
export function useReferral() {
  const { data: me } = useSuspenseQuery(meQuery)
  const isPersonal = me.accounts.some(({ id, kind }) => id === me.account.id && kind === "personal")
  return useQuery({ ...referralQuery, enabled: isPersonal })
}
