export const CHANGES = ["new", "dearer", "cheaper", "mixed", "same"] as const
export type Change = (typeof CHANGES)[number]
export const LINE_STATES = ["open", "accepted", "skipped"] as const
export type LineState = (typeof LINE_STATES)[number]

/** `for`: the channel whose costs are to be imported; the dialog opens by itself. */
export type ImportsSearch = { for?: string }

export function readImportsSearch(search: Record<string, unknown>): ImportsSearch {
  return typeof search.for === "string" && search.for ? { for: search.for } : {}
}

export type LinesSearch = {
  q?: string
  vendor?: string
  change?: Change
  state?: LineState
  left?: true
  known?: true
}

function isOf<T extends string>(list: readonly T[], value: unknown): value is T {
  return (list as readonly unknown[]).includes(value)
}

/** Which lines: by name, vendor, what they would change, what became of them, what has no meter, what exists here. */
export function readLinesSearch(search: Record<string, unknown>): LinesSearch {
  const { q, vendor, change, state, left, known } = search
  return {
    ...(q !== undefined && q !== "" && { q: String(q) }),
    ...(vendor !== undefined && vendor !== "" && { vendor: String(vendor) }),
    ...(isOf(CHANGES, change) && { change }),
    ...(isOf(LINE_STATES, state) && { state }),
    ...(left === true && { left: true as const }),
    ...(known === true && { known: true as const }),
  }
}
