// Getting started, told from what is true: nothing is ticked off because someone clicked it.
import type { Key, Wallet } from "../../api/types"

export const STEPS = ["quota", "key", "call", "receipt", "limits"] as const
export type Step = (typeof STEPS)[number]

export type Facts = {
  wallet: Wallet
  keys: Key[]
  /** Whether any call was made in the days that the page knows of. */
  hasCalled: boolean
  hasFollowed: boolean
}

export function isActive(key: Key): boolean {
  return key.status === "active"
}

export function stepsDone({ wallet, keys, hasCalled, hasFollowed }: Facts): Record<Step, boolean> {
  const active = keys.filter(isActive)
  return {
    quota: wallet.balance > 0 || BigInt(wallet.used_total) > 0n,
    key: keys.length > 0,
    call: hasCalled || BigInt(wallet.used_total) > 0n || keys.some((key) => key.last_used_at !== null),
    receipt: hasFollowed,
    limits: active.length > 0 && active.every((key) => key.spend_limit !== null),
  }
}
