export type UsersSearch = { q?: string; role?: "user" | "operator" | "owner"; status?: "active" | "banned" }

export function readUsersSearch(search: Record<string, unknown>): UsersSearch {
  const { q, role, status } = search
  return {
    ...(q !== undefined && q !== "" && { q: String(q) }),
    ...((role === "user" || role === "operator" || role === "owner") && { role }),
    ...((status === "active" || status === "banned") && { status }),
  }
}
