export type KeysSearch = { q?: string; state?: "active" | "limit" | "off"; new?: boolean }

const STATES = ["active", "limit", "off"] as const

export function readKeysSearch(search: Record<string, unknown>): KeysSearch {
  const state = STATES.find((name) => name === search.state)
  return {
    ...(search.q !== undefined && search.q !== "" && { q: String(search.q) }),
    ...(state && { state }),
    ...(search.new === true && { new: true }),
  }
}
