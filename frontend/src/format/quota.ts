// Quota in words people read. Quota is an integer; one unit of the ledger currency is `unit` quota (a power of ten, from
// GET /status). Everything here is integer arithmetic on bigint: no figure is ever computed from a rounded one.

export type Quota = number | string | bigint

/** A figure cut in two where the eye should rest: `quiet` parts are shown in lighter ink. */
export type Figure = { sign: "" | "−" | "+"; lead: string; main: string; tail: string }

/** A decimal number as digits and a scale: value = digits / 10^scale. */
type Exact = { digits: bigint; scale: number }

const MINUS = "−"

function pow10(n: number): bigint {
  return 10n ** BigInt(n)
}

function scaleOf(unit: number): number {
  return Math.round(Math.log10(unit))
}

/** Reads an amount of quota; a decimal string (a subtotal) may carry a fraction of one quota. */
function exactQuota(quota: Quota): Exact {
  const text = String(quota)
  const [whole = "0", fraction = ""] = text.split(".")
  return { digits: BigInt(whole + fraction), scale: fraction.length }
}

function grouped(whole: string): string {
  return whole.replace(/\B(?=(\d{3})+$)/g, ",")
}

/** Whole part and exactly `decimals` digits of a value, cut (never rounded). */
function cut(value: Exact, decimals: number): [whole: string, fraction: string] {
  const magnitude = value.digits < 0n ? -value.digits : value.digits
  const shift = decimals - value.scale
  const scaled = shift >= 0 ? magnitude * pow10(shift) : magnitude / pow10(-shift)
  const text = scaled.toString().padStart(decimals + 1, "0")
  return [text.slice(0, text.length - decimals), decimals === 0 ? "" : text.slice(-decimals)]
}

function inCurrency(quota: Quota, unit: number): Exact {
  const exact = exactQuota(quota)
  return { digits: exact.digits, scale: exact.scale + scaleOf(unit) }
}

function signOf(value: Exact): "" | "−" {
  return value.digits < 0n ? MINUS : ""
}

/** The whole truth: every digit there is, at least two decimals. */
export function exactAmount(quota: Quota, unit: number): string {
  const value = inCurrency(quota, unit)
  const [whole, fraction] = cut(value, Math.max(value.scale, 2))
  return `${signOf(value)}${grouped(whole)}.${fraction.replace(/0+$/, "").padEnd(2, "0")}`
}

/** A balance: cents in ink, the next four digits quiet. Cut, so it never shows more than there is. */
export function balanceFigure(quota: Quota, unit: number): Figure {
  const value = inCurrency(quota, unit)
  const [whole, fraction] = cut(value, 6)
  return {
    sign: signOf(value),
    lead: "",
    main: `${grouped(whole)}.${fraction.slice(0, 2)}`,
    tail: fraction.slice(2),
  }
}

/** A balance as plain text, cut to cents. */
export function balanceText(quota: Quota, unit: number): string {
  const { sign, main } = balanceFigure(quota, unit)
  return sign + main
}

/**
 * A cost: six decimals, leading zeros quiet. A cost too small for six decimals keeps as many as it needs for its first
 * digit, so nothing that was charged reads as nothing.
 */
export function costFigure(quota: Quota, unit: number): Figure {
  const value = inCurrency(quota, unit)
  const sign = signOf(value)
  let [whole, fraction] = cut(value, 6)
  if (value.digits !== 0n && whole === "0" && /^0+$/.test(fraction)) {
    const [, every] = cut(value, value.scale)
    fraction = every.slice(0, every.search(/[1-9]/) + 1)
  }
  const zeros = whole === "0" ? (fraction.match(/^0*/)?.[0].length ?? 0) : -1
  if (zeros >= 0 && zeros < fraction.length) {
    return { sign, lead: `0.${fraction.slice(0, zeros)}`, main: fraction.slice(zeros), tail: "" }
  }
  return { sign, lead: "", main: `${grouped(whole)}.${fraction}`, tail: "" }
}

export function costText(quota: Quota, unit: number): string {
  const { sign, lead, main } = costFigure(quota, unit)
  return sign + lead + main
}

/** The number of decimals an amount needs (at least two), for lining up a column. */
export function decimalsOf(quota: Quota, unit: number): number {
  return exactAmount(quota, unit).split(".")[1]?.length ?? 0
}

/** A rate as shown: quota for `per` units, told for `shown` of them, after the multiplier; exact, cut nowhere. */
export function rateText(
  rate: { rate: Quota; per: number },
  multiplierMicros: number,
  shown: number,
  unit: number,
): string {
  const divisor = BigInt(rate.per)
  const scale = scaleOf(unit) + 6
  // Six more digits than quota has, so a thousandth of a small rate is still exact.
  const digits = (BigInt(rate.rate) * BigInt(multiplierMicros) * BigInt(shown) * pow10(6)) / divisor
  const [whole, fraction] = cut({ digits, scale: scale + 6 }, scale + 6)
  return `${grouped(whole)}.${fraction.replace(/0+$/, "").padEnd(2, "0")}`
}

/** What quantity x rate / per comes to, times the multiplier, rounded up once: the formula of every charge. */
export function ceilDiv(dividend: bigint, divisor: bigint): bigint {
  return dividend >= 0n ? (dividend + divisor - 1n) / divisor : dividend / divisor
}

/** Reads what someone typed as an amount of currency. Null when it is no amount or finer than one quota. */
export function parseAmount(text: string, unit: number): number | null {
  const clean = text
    .replace(/[\s,_]/g, "")
    .replace(/^\+/, "")
    .replace(/^−/, "-")
  const match = /^(-?)(\d*)(?:\.(\d*))?$/.exec(clean)
  if (!match || (match[2] === "" && !match[3])) return null
  const [, minus, whole = "", fraction = ""] = match
  const scale = scaleOf(unit)
  if (fraction.replace(/0+$/, "").length > scale) return null
  const quota =
    BigInt(whole || "0") * BigInt(unit) + BigInt(fraction.slice(0, scale).padEnd(scale, "0") || "0")
  const signed = Number(minus ? -quota : quota)
  return Number.isSafeInteger(signed) ? signed : null
}

/** An amount the way an input holds it: no thousands commas. */
export function amountInput(quota: Quota, unit: number): string {
  return exactAmount(quota, unit).replaceAll(",", "").replace(MINUS, "-")
}

export function multiplierText(micros: number): string {
  const [whole, fraction] = cut({ digits: BigInt(micros), scale: 6 }, 6)
  const rest = fraction.replace(/0+$/, "")
  return `×${whole}${rest && `.${rest}`}`
}

/** An integer with thousands commas: tokens, calls, quota. */
export function countText(count: Quota): string {
  const value = BigInt(count)
  return `${value < 0n ? MINUS : ""}${grouped((value < 0n ? -value : value).toString())}`
}

/** A context window: 128000 and 131072 both read 128K, as their vendors write them. */
export function windowText(tokens: number): string {
  const step = tokens % 1000 !== 0 && tokens % 1024 === 0 ? 1024 : 1000
  if (tokens >= step * step) return `${Number((tokens / (step * step)).toFixed(1))}M`
  return tokens >= step ? `${Number((tokens / step).toFixed(1))}K` : String(tokens)
}

/** The sign people know a currency by: "$" for USD, or its code where there is none. */
export function currencySign(currency: string): string {
  try {
    const parts = new Intl.NumberFormat("en", {
      style: "currency",
      currency,
      currencyDisplay: "narrowSymbol",
    }).formatToParts(0)
    return parts.find((part) => part.type === "currency")?.value ?? currency
  } catch {
    return currency
  }
}

/** a - b without losing a digit; either may be a decimal string. */
export function difference(a: Quota, b: Quota): string {
  const left = exactQuota(a)
  const right = exactQuota(b)
  const scale = Math.max(left.scale, right.scale)
  const digits = left.digits * pow10(scale - left.scale) - right.digits * pow10(scale - right.scale)
  const [whole, fraction] = cut({ digits, scale }, scale)
  return `${digits < 0n ? "-" : ""}${whole}${fraction && `.${fraction}`}`
}

/** The decimals at which every one of these amounts is exact, six at least: a receipt's column that adds up. */
export function sharedDecimals(amounts: Quota[], unit: number): number {
  return Math.max(6, ...amounts.map((amount) => decimalsOf(amount, unit)))
}

/** An exact amount padded with zeros to `decimals`. */
export function paddedAmount(quota: Quota, unit: number, decimals: number): string {
  const [whole, fraction = ""] = exactAmount(quota, unit).split(".")
  return `${whole}.${fraction.padEnd(decimals, "0")}`
}
