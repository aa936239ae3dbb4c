// What the address of the pricing page holds: everything that was chosen, so that a link shows the same page.
export type Shown = "1m" | "1k"

export type PricingSearch = {
  q?: string
  vendor?: string
  group?: string
  per?: Shown
  model?: string
  input?: number
  output?: number
  cached?: number
  calls?: number
  units?: number
}

const MOST = 1_000_000_000

function count(value: unknown, most: number): number | undefined {
  const number = Number(value)
  return value !== undefined && Number.isInteger(number) && number >= 0 && number <= most ? number : undefined
}

function text(value: unknown): string | undefined {
  return (typeof value === "string" && value !== "") || typeof value === "number" ? String(value) : undefined
}

export function readPricingSearch(search: Record<string, unknown>): PricingSearch {
  const read: PricingSearch = {
    q: text(search.q),
    vendor: text(search.vendor),
    group: text(search.group),
    per: search.per === "1k" ? "1k" : undefined,
    model: text(search.model),
    input: count(search.input, MOST),
    output: count(search.output, MOST),
    cached: count(search.cached, 100),
    calls: count(search.calls, MOST),
    units: count(search.units, MOST),
  }
  return Object.fromEntries(Object.entries(read).filter(([, value]) => value !== undefined))
}
