// Figures that lose no digit and still read at a glance: what the eye needs in ink, the rest quiet.
import { decimalsOf, exactAmount, type Figure, paddedAmount, type Quota } from "./quota"

/**
 * An exact amount, padded to `decimals` so that a column lines up and adds up. From a cent on, cents stand in ink and
 * what follows is quiet; below a cent the leading zeros are quiet instead.
 */
export function exactFigure(quota: Quota, unit: number, decimals = 0): Figure {
  const text = paddedAmount(quota, unit, Math.max(decimals, decimalsOf(quota, unit)))
  const sign = text.startsWith("−") ? "−" : ""
  const plain = text.slice(sign.length)
  const zeros = /^0\.00?0*/.exec(plain)?.[0] ?? ""
  if (zeros.length >= 4 && zeros.length < plain.length) {
    return { sign, lead: zeros, main: plain.slice(zeros.length), tail: "" }
  }
  const cents = plain.indexOf(".") + 3
  return { sign, lead: "", main: plain.slice(0, cents), tail: plain.slice(cents) }
}

/** The decimals that every one of these amounts needs to be exact. */
export function columnDecimals(amounts: Quota[], unit: number): number {
  return Math.max(2, ...amounts.map((amount) => decimalsOf(amount, unit)))
}

/** The decimals that the labels of an axis need: none for "$8", two for "$0.50", as many as it takes below. */
export function shortDecimals(amounts: Quota[], unit: number): number {
  const isWhole = amounts.every((amount) => exactAmount(amount, unit).endsWith(".00"))
  return isWhole ? 0 : columnDecimals(amounts, unit)
}

/** An amount with just `decimals`, which must be enough for it. */
export function shortAmount(quota: Quota, unit: number, decimals: number): string {
  return decimals === 0 ? exactAmount(quota, unit).replace(/\.00$/, "") : paddedAmount(quota, unit, decimals)
}

/** A large count in three figures: "84.6" and "M". Below ten thousand every digit. */
export function shortCount(count: bigint): { figure: string; suffix: string } {
  const steps: [bigint, string][] = [
    [1_000_000_000_000n, "T"],
    [1_000_000_000n, "B"],
    [1_000_000n, "M"],
    [1_000n, "K"],
  ]
  if (count < 10_000n) return { figure: String(count).replace(/\B(?=(\d{3})+$)/g, ","), suffix: "" }
  const [size, suffix] = steps.find(([step]) => count >= step) ?? [1n, ""]
  const whole = count / size
  const decimals = whole >= 100n ? 0 : whole >= 10n ? 1 : 2
  const fraction = ((count % size) * 10n ** BigInt(decimals)) / size
  return {
    figure: decimals === 0 ? String(whole) : `${whole}.${String(fraction).padStart(decimals, "0")}`,
    suffix,
  }
}
