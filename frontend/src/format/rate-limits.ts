// Limits of requests, tokens and calls at once as forms hold them: text, checked into what the API takes.

export type RateLimits = {
  requests_per_minute?: number | null
  tokens_per_minute?: number | null
  concurrency?: number | null
}
export const RATES = ["requests_per_minute", "tokens_per_minute", "concurrency"] as const
export type RateTexts = Record<(typeof RATES)[number], string>

const LARGEST = 2_000_000_000

export function rateTexts(limits?: RateLimits | null): RateTexts {
  const text = (name: (typeof RATES)[number]) => String(limits?.[name] ?? "")
  return {
    requests_per_minute: text("requests_per_minute"),
    tokens_per_minute: text("tokens_per_minute"),
    concurrency: text("concurrency"),
  }
}

/** A whole number above 0; null for an empty field, undefined for anything else. */
export function rateOf(text: string): number | null | undefined {
  const clean = text.replace(/[\s,]/g, "")
  if (clean === "") return null
  const number = /^\d+$/.test(clean) ? Number(clean) : 0
  return number > 0 && number <= LARGEST ? number : undefined
}

/** What the API takes: null where nothing is limited; undefined where something is no number. */
export function rateLimitsOf(texts: RateTexts): RateLimits | null | undefined {
  const found: RateLimits = {}
  for (const name of RATES) {
    const rate = rateOf(texts[name])
    if (rate === undefined) return undefined
    if (rate !== null) found[name] = rate
  }
  return Object.keys(found).length > 0 ? found : null
}
