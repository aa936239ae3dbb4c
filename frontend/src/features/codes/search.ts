export type CodesSearch = { view?: "redemptions"; batch?: string; code?: string; account?: string }

const ID = /^[0-9a-f-]{36}$/i

export function readCodesSearch(search: Record<string, unknown>): CodesSearch {
  const id = (name: "batch" | "code" | "account") => {
    const value = search[name]
    return typeof value === "string" && ID.test(value) ? { [name]: value } : {}
  }
  if (search.view !== "redemptions") return {}
  return { view: "redemptions", ...id("batch"), ...id("code"), ...id("account") }
}
