// A vertical scale with round steps. Amounts stay integers, so a label never says more than it knows.

export function largest(amounts: bigint[]): bigint {
  let most = 0n
  for (const amount of amounts) if (amount > most) most = amount
  return most
}

const STEPS = [10n, 20n, 25n, 50n]
const WANTED = 4n

/** Marks from 0 upwards in steps of 1, 2, 2.5 or 5 times a power of ten; the last is at or above `most`. */
export function ticks(most: bigint): bigint[] {
  if (most <= 0n) return [0n, 1n]
  let power = 1n
  for (;;) {
    for (const step of STEPS) {
      const size = step * power
      if (size * WANTED >= most) {
        const count = (most + size - 1n) / size
        return Array.from({ length: Number(count) + 1 }, (_, index) => BigInt(index) * size)
      }
    }
    power *= 10n
  }
}

/** Which of `count` columns carry a label, at most `most`, evenly from the last one back. */
export function labelled(count: number, most: number): number[] {
  const step = Math.max(1, Math.ceil(count / most))
  const marks: number[] = []
  for (let at = count - 1; at >= 0; at -= step) marks.unshift(at)
  return marks
}

/** A share of `most` as a number between 0 and `size`; the only place where an amount becomes a length. */
export function lengthOf(amount: bigint, most: bigint, size: number): number {
  return most === 0n ? 0 : (Number((amount * 100_000n) / most) / 100_000) * size
}
