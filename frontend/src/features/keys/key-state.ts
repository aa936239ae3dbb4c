import type { Budget, Key } from "../../api/types"

export type KeyState = "active" | "near" | "limit" | "disabled" | "expired"

const NEAR_PERCENT = 90

type Limited = Pick<Key, "spent" | "spend_limit">

function percentOf(spent: number, limit: number): number {
  return limit === 0 ? 100 : Number((BigInt(spent) * 100n) / BigInt(limit))
}

/** How much of its limit a key has spent, cut to whole percent; null without a limit. */
export function spentPercent(key: Limited): number | null {
  return key.spend_limit == null ? null : percentOf(key.spent, key.spend_limit)
}

/** The same of a budget, in its running period. */
export function budgetPercent(budget: Pick<Budget, "spent" | "limit">): number {
  return percentOf(budget.spent, budget.limit)
}

/** What a key is good for now: what stops it comes first, then what will stop it soon. */
export function keyState(
  key: Limited & Pick<Key, "status" | "expires_at" | "remaining" | "budgets">,
  now: number,
): KeyState {
  if (key.status === "disabled") return "disabled"
  if (key.status === "expired" || (key.expires_at != null && Date.parse(key.expires_at) <= now))
    return "expired"
  if (key.remaining != null && key.remaining <= 0) return "limit"
  const most = Math.max(spentPercent(key) ?? 0, ...key.budgets.map(budgetPercent))
  return most >= NEAR_PERCENT ? "near" : "active"
}

/** The chip that a state is found under. */
export function chipOf(state: KeyState): "active" | "limit" | "off" {
  if (state === "disabled" || state === "expired") return "off"
  return state === "limit" ? "limit" : "active"
}
