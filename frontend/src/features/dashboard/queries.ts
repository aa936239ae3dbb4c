import { queryOptions } from "@tanstack/react-query"
import { api, body } from "../../api/client"
import type { Summary } from "../../api/types"
import { dayOf, daysBack, LONGEST } from "./days"
import { dearest } from "./shares"

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
const REFRESH_MS = 60_000
const SHARED_MS = 5_000

type Narrowed = { model?: string; status?: "failed" }

function ask(
  groupBy: "day" | "model" | "key",
  now: number,
  days: number,
  signal: AbortSignal,
  only: Narrowed = {},
): Promise<Summary> {
  const query = { ...only, group_by: groupBy, tz: zone, from: daysBack(now, days) }
  return body(api().GET("/api/v1/usage/summary", { params: { query }, signal }))
}

/** What the days cost. One question over the longest span serves the chart, the tiles and the run-way. */
export const daysQuery = (now: number) =>
  queryOptions({
    queryKey: ["usage", "summary", "days", dayOf(now)],
    queryFn: ({ signal }) => ask("day", now, LONGEST, signal),
    refetchInterval: REFRESH_MS,
  })

/** What the days cost by model, for the models that cost most. */
export const stackQuery = (now: number, days: number) =>
  queryOptions({
    queryKey: ["usage", "summary", "stack", dayOf(now), days],
    queryFn: async ({ client, signal }) => {
      // The table of models asks the same; one answer serves both.
      const { items } = await client.fetchQuery({ ...sharesQuery("model", now, days), staleTime: SHARED_MS })
      const { names, hasOther } = dearest(items)
      const parts = await Promise.all(names.map((model) => ask("day", now, days, signal, { model })))
      return { hasOther, parts: names.map((name, index) => ({ name, items: parts[index]?.items ?? [] })) }
    },
    refetchInterval: REFRESH_MS,
  })

export const failedQuery = (now: number, days: number) =>
  queryOptions({
    queryKey: ["usage", "summary", "failed", dayOf(now), days],
    queryFn: async ({ signal }) => (await ask("day", now, days, signal, { status: "failed" })).total.requests,
    refetchInterval: REFRESH_MS,
  })

export const sharesQuery = (groupBy: "model" | "key", now: number, days: number) =>
  queryOptions({
    queryKey: ["usage", "summary", groupBy, dayOf(now), days],
    queryFn: ({ signal }) => ask(groupBy, now, days, signal),
    refetchInterval: REFRESH_MS,
  })

/** What a few words cost at the caller's own rates. */
export const sampleCostQuery = (model: string | undefined, usage: Record<string, number>) =>
  queryOptions({
    queryKey: ["estimate", "sample", model, usage],
    queryFn: ({ signal }) =>
      body(api().POST("/api/v1/pricing/estimate", { body: { model: model ?? "", usage }, signal })),
    enabled: model !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
  })
