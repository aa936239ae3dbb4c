// Money that is paid, in minor units of its own currency (cents, or whole yen). Never quota, never a float.
import { currencySign } from "./quota"

const MINUS = "−"

/** "1,234.50": always all the places that the currency has. */
export function minorText(amount: number, exponent: number): string {
  const digits = String(Math.abs(amount)).padStart(exponent + 1, "0")
  const whole = digits.slice(0, digits.length - exponent).replace(/\B(?=(\d{3})+$)/g, ",")
  return `${amount < 0 ? MINUS : ""}${whole}${exponent > 0 ? `.${digits.slice(-exponent)}` : ""}`
}

/** With the sign people know the currency by: "$12.50", or its code in front: "CHF 12.50". */
export function moneyText(amount: number, currency: string, exponent: number): string {
  const sign = currencySign(currency)
  const text = minorText(Math.abs(amount), exponent)
  return `${amount < 0 ? MINUS : ""}${sign}${sign.length > 1 && /[A-Za-z]$/.test(sign) ? " " : ""}${text}`
}

/** As short as it is exact: "$50", but "$49.90". For buttons to choose from. */
export function shortMoney(amount: number, currency: string, exponent: number): string {
  const text = moneyText(amount, currency, exponent)
  return exponent > 0 ? text.replace(new RegExp(`\\.0{${exponent}}$`), "") : text
}

/** Reads what someone typed. Null when it is no amount, not above zero, or finer than the currency. */
export function parseMinor(text: string, exponent: number): number | null {
  const match = /^(\d*)(?:\.(\d*))?$/.exec(text.replace(/[\s,_]/g, ""))
  if (!match || (match[1] === "" && !match[2])) return null
  const [, whole = "", fraction = ""] = match
  if (fraction.replace(/0+$/, "").length > exponent) return null
  const amount = Number(BigInt(whole + fraction.slice(0, exponent).padEnd(exponent, "0")))
  return Number.isSafeInteger(amount) && amount > 0 ? amount : null
}
