// What the address of the log holds: the span, the filters and the open receipt.
export const SPANS = ["today", "yesterday", "7d", "30d", "90d", "custom"] as const
export const STATES = ["ok", "partial", "cancelled", "failed"] as const

export type Span = (typeof SPANS)[number]
export type CallState = (typeof STATES)[number]

export type UsageSearch = {
  q?: string
  span?: Span
  /** Days as the reader's calendar has them, both included; only with the span "custom". */
  from?: string
  to?: string
  model?: string
  key?: string
  state?: CallState
  receipt?: string
}

const DAY = /^\d{4}-\d{2}-\d{2}$/

function text(value: unknown): string | undefined {
  return (typeof value === "string" && value !== "") || typeof value === "number" ? String(value) : undefined
}

function day(value: unknown): string | undefined {
  return typeof value === "string" && DAY.test(value) && !Number.isNaN(Date.parse(value)) ? value : undefined
}

export function readUsageSearch(search: Record<string, unknown>): UsageSearch {
  const span = SPANS.find((name) => name === search.span)
  const read: UsageSearch = {
    q: text(search.q),
    span,
    ...(span === "custom" && { from: day(search.from), to: day(search.to) }),
    model: text(search.model),
    key: text(search.key),
    state: STATES.find((name) => name === search.state),
    receipt: text(search.receipt),
  }
  return Object.fromEntries(Object.entries(read).filter(([, value]) => value !== undefined))
}

/** Whether anything but the span narrows the log. */
export function isNarrowed(search: UsageSearch): boolean {
  return Boolean(search.q || search.model || search.key || search.state)
}
