// How many tokens, and how many of the incoming ones were read from a cache. Meters are disjoint: nothing counts twice.
import type { Summary } from "../../api/types"

const CACHED = "cached_input"
const INPUT = ["input", CACHED, "cache_write_5m", "cache_write_1h", "audio_input", "image_input"]
const OUTPUT = ["output", "reasoning", "audio_output", "image_output"]

export type Tokens = { all: bigint; input: bigint; cached: bigint }

export function tokensIn(items: Summary["items"]): Tokens {
  const sum = (meters: string[]) =>
    items.reduce(
      (total, { usage }) => meters.reduce((part, meter) => part + BigInt(usage[meter] ?? 0), total),
      0n,
    )
  const input = sum(INPUT)
  return { all: input + sum(OUTPUT), input, cached: sum([CACHED]) }
}
