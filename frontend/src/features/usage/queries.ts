import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query"
import { api, body } from "../../api/client"
import type { UsageItem } from "../../api/types"
import type { CallState, UsageSearch } from "./search"
import type { Instants } from "./span"

export type UsageFilters = Instants & { model?: string; key_id?: string; status?: CallState }

const PAGE = 50
const FRESH_MS = 8_000
const NEW_SHOWN = 50

export function filtersOf(search: UsageSearch, instants: Instants): UsageFilters {
  return {
    ...instants,
    ...(search.model && { model: search.model }),
    ...(search.key && { key_id: search.key }),
    ...(search.state && { status: search.state }),
  }
}

/** The log, newest first. It is asked for again only when the reader wants it, so that rows do not move under the eye. */
export const usageQuery = (filters: UsageFilters) =>
  infiniteQueryOptions({
    queryKey: ["usage", "list", filters],
    queryFn: ({ pageParam, signal }) =>
      body(
        api().GET("/api/v1/usage", {
          params: { query: { ...filters, limit: PAGE, ...(pageParam && { cursor: pageParam }) } },
          signal,
        }),
      ),
    initialPageParam: "",
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
    // Someone who looks at an empty log has just made the first call, or is about to.
    refetchInterval: ({ state }) => (state.data?.pages[0]?.items.length === 0 ? FRESH_MS : false),
  })

/** The calls that are newer than the newest in sight. */
export const newerQuery = (filters: UsageFilters, newest: UsageItem | undefined, isWanted: boolean) =>
  queryOptions({
    queryKey: ["usage", "newer", filters, newest?.request_id],
    queryFn: async ({ signal }) => {
      const query = { ...filters, from: newest?.created_at, limit: NEW_SHOWN }
      const page = await body(api().GET("/api/v1/usage", { params: { query }, signal }))
      const count = page.items.filter((item) => item.request_id !== newest?.request_id).length
      return { count, isMore: page.next_cursor !== null }
    },
    enabled: isWanted && newest !== undefined,
    refetchInterval: FRESH_MS,
    staleTime: FRESH_MS,
    retry: false,
  })

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone

/** What the calls that fit come to, and by which model. */
export const summaryQuery = (filters: UsageFilters) =>
  queryOptions({
    queryKey: ["usage", "summary", "model", filters],
    queryFn: ({ signal }) =>
      body(
        api().GET("/api/v1/usage/summary", {
          params: { query: { ...filters, group_by: "model", tz: zone } },
          signal,
        }),
      ),
  })

export const receiptQuery = (requestId: string) =>
  queryOptions({
    queryKey: ["usage", "receipt", requestId],
    queryFn: ({ signal }) =>
      body(api().GET("/api/v1/usage/{request_id}", { params: { path: { request_id: requestId } }, signal })),
    // What is written in the ledger does not change.
    staleTime: Number.POSITIVE_INFINITY,
  })
