// What the address of the dashboard holds: how many days the chart and the tables tell of, and as what.
export const RANGES = [7, 30, 90] as const
export type Range = (typeof RANGES)[number]
export const DEFAULT_RANGE: Range = 30

export type DashboardSearch = { days?: Range; view?: "table" }

export function readDashboardSearch(search: Record<string, unknown>): DashboardSearch {
  const days = RANGES.find((range) => range === Number(search.days))
  return { ...(days && { days }), ...(search.view === "table" && { view: "table" as const }) }
}
