// What more than one page asks for. A page's own questions stand beside the page.
import { type QueryClient, queryOptions } from "@tanstack/react-query"
import { api, body } from "./client"
import { everyPage } from "./pages"

const MINUTE_MS = 60_000

export const statusQuery = queryOptions({
  queryKey: ["status"],
  queryFn: ({ signal }) => body(api().GET("/api/v1/status", { signal })),
  staleTime: 10 * MINUTE_MS,
})

export const meQuery = queryOptions({
  queryKey: ["me"],
  queryFn: ({ signal }) => body(api().GET("/api/v1/me", { signal })),
  staleTime: 5 * MINUTE_MS,
})

export const walletQuery = queryOptions({
  queryKey: ["wallet"],
  queryFn: ({ signal }) => body(api().GET("/api/v1/wallet", { signal })),
  staleTime: 2_000,
  refetchInterval: 5_000,
})

export const keysQuery = queryOptions({
  queryKey: ["keys"],
  queryFn: async ({ client, signal }) => {
    // Whoever looks after the bills of a team sees none of its keys.
    const { account } = await client.ensureQueryData(meQuery)
    if (!account.permissions.includes("keys.read")) return { items: [] }
    const items = await everyPage((cursor) =>
      body(
        api().GET("/api/v1/keys", { params: { query: { limit: 200, ...(cursor && { cursor }) } }, signal }),
      ),
    )
    return { items }
  },
  staleTime: 5_000,
})

/** The zone whose midnight begins a day of the account's budgets. */
export const timeZoneQuery = (accountId: string) =>
  queryOptions({
    queryKey: ["time-zone", accountId],
    queryFn: async ({ signal }) =>
      (
        await body(
          api().GET("/api/v1/accounts/{account_id}/time-zone", {
            params: { path: { account_id: accountId } },
            signal,
          }),
        )
      ).time_zone,
    staleTime: 60_000,
  })

/** Prices as a group sees them; null is the caller's own group. */
export const pricingQuery = (group: string | null) =>
  queryOptions({
    queryKey: ["pricing", group],
    queryFn: ({ signal }) =>
      body(api().GET("/api/v1/pricing", { params: { query: group ? { group } : {} }, signal })),
    staleTime: MINUTE_MS,
  })

/** After anything that moved quota: the balance, the transfers and what keys have left. */
export async function quotaMoved(queries: QueryClient): Promise<void> {
  await Promise.all(
    ["wallet", "transfers", "keys", "usage"].map((name) => queries.invalidateQueries({ queryKey: [name] })),
  )
}
