import { queryOptions } from "@tanstack/react-query"
import { api, body } from "../../api/client"
import { everyPage } from "../../api/pages"

const ask = (account: string, cursor: string) => ({
  path: { account_id: account },
  query: { limit: 200, ...(cursor && { cursor }) },
})

/** The accounts one belongs to, and whether one may make a team. */
export const teamsQuery = queryOptions({
  queryKey: ["accounts"],
  queryFn: ({ signal }) => body(api().GET("/api/v1/accounts", { signal })),
})

export const membersQuery = (account: string) =>
  queryOptions({
    queryKey: ["members", account],
    queryFn: ({ signal }) =>
      everyPage((cursor) =>
        body(api().GET("/api/v1/accounts/{account_id}/members", { params: ask(account, cursor), signal })),
      ),
    staleTime: 5_000,
  })

export const invitationsQuery = (account: string) =>
  queryOptions({
    queryKey: ["invitations", account],
    queryFn: ({ signal }) =>
      everyPage((cursor) =>
        body(
          api().GET("/api/v1/accounts/{account_id}/invitations", { params: ask(account, cursor), signal }),
        ),
      ),
    staleTime: 5_000,
  })
