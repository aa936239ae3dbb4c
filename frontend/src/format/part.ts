// Parts of a whole in millionths, as the API states them: for reading only, nothing is computed from them.

const MINUS = "−"

/** 375_000 -> "37.5%"; a tenth of a percent is the finest step, and what is less than that is not shown as nothing. */
export function partText(micros: number): string {
  const tenths = Math.round(Math.abs(micros) / 1000)
  const sign = micros < 0 ? MINUS : ""
  if (tenths === 0 && micros !== 0) return `${sign}<0.1%`
  const text = tenths % 10 === 0 ? String(tenths / 10) : (tenths / 10).toFixed(1)
  return `${tenths === 0 ? "" : sign}${text}%`
}

/** The same as a change: "+37.5%". */
export function changeText(micros: number): string {
  return micros > 0 ? `+${partText(micros)}` : partText(micros)
}

/** What somebody typed as percent, in millionths; null when it is none or finer than a millionth. */
export function parsePercent(text: string): number | null {
  const match = /^\s*([-−+]?)(\d{1,6})(?:[.,](\d{1,4}))?\s*%?\s*$/.exec(text)
  if (!match) return null
  const [, sign, whole = "0", fraction = ""] = match
  const micros = Number(whole) * 10_000 + Number(fraction.padEnd(4, "0"))
  return sign === "-" || sign === MINUS ? -micros : micros
}
