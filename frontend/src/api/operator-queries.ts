// What more than one of the operator's pages asks for.
import { queryOptions } from "@tanstack/react-query"
import { api, body } from "./client"
import { everyPage } from "./pages"

const ask = (cursor: string) => ({ query: { limit: 200, ...(cursor && { cursor }) } })

export const groupsQuery = queryOptions({
  queryKey: ["admin", "groups"],
  queryFn: ({ signal }) =>
    everyPage((cursor) => body(api().GET("/api/v1/admin/groups", { params: ask(cursor), signal }))),
  staleTime: 10_000,
})

export const methodsQuery = queryOptions({
  queryKey: ["admin", "payment-methods"],
  queryFn: ({ signal }) =>
    body(api().GET("/api/v1/admin/payment-methods", { signal })).then(({ items }) => items),
  staleTime: 10_000,
})

export const processorsQuery = queryOptions({
  queryKey: ["admin", "payment-processors"],
  queryFn: ({ signal }) =>
    body(api().GET("/api/v1/admin/payment-processors", { signal })).then(({ items }) => items),
  staleTime: Number.POSITIVE_INFINITY,
})

export const modelsQuery = queryOptions({
  queryKey: ["admin", "models"],
  queryFn: ({ signal }) =>
    everyPage((cursor) => body(api().GET("/api/v1/admin/models", { params: ask(cursor), signal }))),
  staleTime: 10_000,
})

/** Every channel: they are few, and their page is searched as it is typed. */
export const channelsQuery = queryOptions({
  queryKey: ["admin", "channels"],
  queryFn: ({ signal }) =>
    everyPage((cursor) => body(api().GET("/api/v1/admin/channels", { params: ask(cursor), signal }))),
  refetchInterval: 20_000,
})

export const channelSummaryQuery = queryOptions({
  queryKey: ["admin", "channels", "summary"],
  queryFn: ({ signal }) => body(api().GET("/api/v1/admin/channels/summary", { signal })),
  refetchInterval: 60_000,
})

export const providersQuery = queryOptions({
  queryKey: ["admin", "providers"],
  queryFn: ({ signal }) => body(api().GET("/api/v1/admin/providers", { signal })).then(({ items }) => items),
  staleTime: Number.POSITIVE_INFINITY,
})

/** What becomes of those who leave: the grace period, and what is left in their wallets. */
export const privacyQuery = queryOptions({
  queryKey: ["admin", "policies", "privacy"],
  queryFn: async ({ signal }) =>
    (await body(api().GET("/api/v1/admin/policies/privacy", { signal }))) as {
      deletion_grace_days: number
      remaining_balance: "forfeit" | "keep_refusing"
    },
  staleTime: 10_000,
})
