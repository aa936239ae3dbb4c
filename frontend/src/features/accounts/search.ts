export type AccountsSearch = { q?: string; status?: "active" | "paused" }

export function readAccountsSearch(search: Record<string, unknown>): AccountsSearch {
  const { q, status } = search
  return {
    ...(q !== undefined && q !== "" && { q: String(q) }),
    ...((status === "active" || status === "paused") && { status }),
  }
}
