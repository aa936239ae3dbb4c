// What took how much: the largest first, the small ones together, so that the lines still add up to the total.
import type { Summary } from "../../api/types"

export type Share = { key: string | null; requests: bigint; charged: bigint; percent: number; count: number }

export function sharesOf(items: Summary["items"], most: number): Share[] {
  const all = items
    .map((item) => ({ key: item.key, requests: BigInt(item.requests), charged: BigInt(item.charged) }))
    .sort((a, b) => (a.charged === b.charged ? a.key.localeCompare(b.key) : a.charged < b.charged ? 1 : -1))
  const shown = all.length > most ? all.slice(0, most - 1) : all
  const rest = all.slice(shown.length)
  const largest = shown[0]?.charged ?? 0n
  const percent = (charged: bigint) => (largest > 0n ? Number((charged * 1000n) / largest) / 10 : 0)
  const lines: Share[] = shown.map((item) => ({ ...item, percent: percent(item.charged), count: 1 }))
  if (rest.length > 0) {
    const charged = rest.reduce((sum, item) => sum + item.charged, 0n)
    const requests = rest.reduce((sum, item) => sum + item.requests, 0n)
    lines.push({ key: null, requests, charged, percent: percent(charged), count: rest.length })
  }
  return lines
}

const SERIES = 3

/** The models that cost most; what the others cost is shown as one. */
export function dearest(items: Summary["items"]): { names: string[]; hasOther: boolean } {
  const charged = sharesOf(items, Number.POSITIVE_INFINITY).filter((share) => share.charged > 0n)
  return {
    names: charged.slice(0, SERIES).flatMap(({ key }) => (key === null ? [] : [key])),
    hasOther: charged.length > SERIES,
  }
}
