import type { Margin } from "../../api/types"

const MILLION = 1_000_000n

/** A share of two sums in millionths, for reading; null where there is nothing to share. */
function share(part: bigint, whole: bigint): number | null {
  if (whole === 0n) return null
  return Number((part * MILLION) / whole)
}

/** How much of what was charged has a known cost. */
export function coveredShare({ covered, charged }: Margin): number | null {
  return share(BigInt(covered), BigInt(charged))
}

/** What is left of the covered part. */
export function marginShare({ margin, covered }: Margin): number | null {
  return share(BigInt(margin), BigInt(covered))
}

/** A charge cut in three for the chart: what the provider takes, what is left, and what nobody knows the cost of. */
export function cut(row: Margin): [cost: bigint, margin: bigint, unknown: bigint] {
  const covered = BigInt(row.covered)
  const cost = BigInt(row.provider_cost)
  const shown = cost < covered ? cost : covered
  return [shown, covered - shown, BigInt(row.charged) - covered]
}
