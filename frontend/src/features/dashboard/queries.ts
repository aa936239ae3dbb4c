import { queryOptions } from "@tanstack/react-query"
import { api, body } from "../../api/client"
import { dayOf, daysBack, LONGEST } from "./days"

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone
const REFRESH_MS = 60_000

/** What the days cost. One question over the longest span serves the chart, the tiles and the run-way. */
export const daysQuery = (now: number) =>
  queryOptions({
    queryKey: ["usage", "summary", "day", dayOf(now)],
    queryFn: ({ signal }) =>
      body(
        api().GET("/api/v1/usage/summary", {
          params: { query: { group_by: "day", split_by: "model", tz: zone, from: daysBack(now, LONGEST) } },
          signal,
        }),
      ),
    refetchInterval: REFRESH_MS,
  })

export const sharesQuery = (groupBy: "model" | "key", now: number, days: number) =>
  queryOptions({
    queryKey: ["usage", "summary", groupBy, dayOf(now), days],
    queryFn: ({ signal }) =>
      body(
        api().GET("/api/v1/usage/summary", {
          params: { query: { group_by: groupBy, tz: zone, from: daysBack(now, days) } },
          signal,
        }),
      ),
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
