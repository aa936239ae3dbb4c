// Which meters count tokens. The API keeps them disjoint, so adding them counts no token twice.
type Usage = Record<string, number | string>

const INPUT = ["input", "cache_write_5m", "cache_write_1h", "audio_input", "image_input"]
const CACHED = ["cached_input"]
const OUTPUT = ["output", "reasoning", "audio_output", "image_output"]

/** Null where none of the meters was used: unknown and zero are not the same. */
function sum(usage: Usage, meters: string[]): bigint | null {
  const used = meters.filter((meter) => usage[meter] !== undefined)
  return used.length === 0 ? null : used.reduce((total, meter) => total + BigInt(usage[meter] ?? 0), 0n)
}

export type Tokens = { input: bigint | null; cached: bigint | null; output: bigint | null }

export function tokensOf(usage: Usage): Tokens {
  return { input: sum(usage, INPUT), cached: sum(usage, CACHED), output: sum(usage, OUTPUT) }
}

export function allTokens(usage: Usage): bigint {
  const { input, cached, output } = tokensOf(usage)
  return (input ?? 0n) + (cached ?? 0n) + (output ?? 0n)
}
