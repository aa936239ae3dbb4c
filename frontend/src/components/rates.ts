// The rates of a card as a form holds them: text by meter.
import type { RateCard } from "../api/types"
import { amountInput, parseAmount } from "../format/quota"

type Rates = RateCard["rates"]
export type Meter = keyof Rates & string
export type RateTexts = Partial<Record<Meter, string>>

/** What most cards state. */
export const MAIN_METERS: Meter[] = ["input", "output", "cached_input", "request"]
export const OTHER_METERS: Meter[] = [
  "cache_write_5m",
  "cache_write_1h",
  "reasoning",
  "audio_input",
  "audio_output",
  "image_input",
  "image_output",
  "character",
  "image",
  "second",
  "search",
  "rerank_unit",
]
const BY_THE_PIECE: Meter[] = ["request", "image", "second", "search", "rerank_unit"]

/** How many units of a meter its rate is for. */
export function perOf(meter: Meter): number {
  return BY_THE_PIECE.includes(meter) ? 1 : 1_000_000
}

export function textsOf(rates: Rates, unit: number): RateTexts {
  const texts: RateTexts = {}
  for (const meter of [...MAIN_METERS, ...OTHER_METERS]) {
    const rate = rates[meter]
    if (rate != null) texts[meter] = amountInput(rate, unit)
  }
  return texts
}

/** The rates that were typed, and the meters whose text is no amount. An empty field is no rate. */
export function readRates(texts: RateTexts, unit: number): { rates: Rates; wrong: Meter[] } {
  const rates: Rates = {}
  const wrong: Meter[] = []
  for (const meter of [...MAIN_METERS, ...OTHER_METERS]) {
    const text = texts[meter]?.trim()
    if (!text) continue
    const rate = parseAmount(text, unit)
    if (rate === null || rate < 0) wrong.push(meter)
    else rates[meter] = rate
  }
  return { rates, wrong }
}
