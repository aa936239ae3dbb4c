import type { Key } from "../../api/types"

export type KeyState = "active" | "near" | "limit" | "disabled" | "expired"

const NEAR_PERCENT = 90

/** How much of its limit a key has spent, cut to whole percent; null without a limit. */
export function spentPercent(key: Pick<Key, "spent" | "spend_limit">): number | null {
  if (key.spend_limit == null) return null
  if (key.spend_limit === 0) return 100
  return Number((BigInt(key.spent) * 100n) / BigInt(key.spend_limit))
}

/** What a key is good for now: what stops it comes first, then what will stop it soon. */
export function keyState(
  key: Pick<Key, "status" | "expires_at" | "spend_limit" | "spent" | "remaining">,
  now: number,
): KeyState {
  if (key.status === "disabled") return "disabled"
  if (key.status === "expired" || (key.expires_at != null && Date.parse(key.expires_at) <= now))
    return "expired"
  if (key.spend_limit != null && (key.remaining ?? key.spend_limit - key.spent) <= 0) return "limit"
  return (spentPercent(key) ?? 0) >= NEAR_PERCENT ? "near" : "active"
}

/** The chip that a state is found under. */
export function chipOf(state: KeyState): "active" | "limit" | "off" {
  if (state === "disabled" || state === "expired") return "off"
  return state === "limit" ? "limit" : "active"
}
