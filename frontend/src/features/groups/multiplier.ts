const MICROS = 1_000_000

/** A multiplier as typed ("0.8", "×1.5") in millionths; null when it is none or finer than a millionth. */
export function parseMultiplier(text: string): number | null {
  const match = /^(\d{1,6})(?:\.(\d{1,6}))?$/.exec(text.replace(/[×x\s]/gi, ""))
  if (!match) return null
  return Number(match[1]) * MICROS + Number((match[2] ?? "").padEnd(6, "0"))
}
