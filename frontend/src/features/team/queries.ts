import { queryOptions } from "@tanstack/react-query"
import { api, body } from "../../api/client"
import { everyPage } from "../../api/pages"
import { chosenAccount } from "../../api/session"

const ask = (account: string, cursor: string) => ({
  path: { account_id: account },
  query: { limit: 200, ...(cursor && { cursor }) },
})

/** Of the team one works in: whoever has just left it, or deleted it, asks nothing more about it. */
const whileIn = (account: string) => () => chosenAccount() === account

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
    enabled: whileIn(account),
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
    enabled: whileIn(account),
    staleTime: 5_000,
  })

/** On which day the team goes; null: it stays. */
export const deletionQuery = (account: string) =>
  queryOptions({
    queryKey: ["team-deletion", account],
    queryFn: async ({ signal }) => {
      const params = { path: { account_id: account } }
      return (await body(api().GET("/api/v1/accounts/{account_id}/deletion", { params, signal }))).deletion
    },
    enabled: whileIn(account),
  })
