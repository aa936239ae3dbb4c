export const STATUSES = ["pending", "paid", "review", "disputed", "refunded", "expired", "failed"] as const
export type Status = (typeof STATUSES)[number]

export type OrdersSearch = { q?: string; status?: Status; method?: string; order?: string }

function text(value: unknown): string | undefined {
  return value === undefined || value === "" ? undefined : String(value)
}

/** What the address of the operator's orders holds: filters, and the order that lies open. */
export function readOrdersSearch(search: Record<string, unknown>): OrdersSearch {
  const { q, status, method, order } = search
  return {
    ...(text(q) && { q: text(q) }),
    ...(STATUSES.includes(status as Status) && { status: status as Status }),
    ...(text(method) && { method: text(method) }),
    ...(text(order) && { order: text(order) }),
  }
}
