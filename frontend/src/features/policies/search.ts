export type PoliciesSearch = { topic?: string }

export function readPoliciesSearch({ topic }: Record<string, unknown>): PoliciesSearch {
  return typeof topic === "string" && /^[a-z_]{1,40}$/.test(topic) ? { topic } : {}
}
