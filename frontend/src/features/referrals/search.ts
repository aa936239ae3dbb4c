const STATES = ["pending", "released", "withheld", "taken_back"] as const

export type RewardState = (typeof STATES)[number]
export type ReferralsSearch = { q?: string; state?: RewardState }

export function readReferralsSearch(search: Record<string, unknown>): ReferralsSearch {
  const { q } = search
  const state = STATES.find((name) => name === search.state)
  return { ...(q !== undefined && q !== "" && { q: String(q) }), ...(state && { state }) }
}
