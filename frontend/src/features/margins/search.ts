export const GROUPINGS = ["day", "model", "channel", "account"] as const
export type Grouping = (typeof GROUPINGS)[number]
export const RANGES = [7, 30, 90] as const
export type Range = (typeof RANGES)[number]
export const DEFAULT_RANGE: Range = 30

export type MarginsSearch = { by?: Grouping; days?: Range }

export function readMarginsSearch(search: Record<string, unknown>): MarginsSearch {
  const { by, days } = search
  return {
    ...((GROUPINGS as readonly unknown[]).includes(by) && by !== "day" && { by: by as Grouping }),
    ...((RANGES as readonly unknown[]).includes(days) && days !== DEFAULT_RANGE && { days: days as Range }),
  }
}
