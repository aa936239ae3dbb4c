// What somebody is about to buy, and what of it the method offers.
import type { Offer } from "../../api/types"
import { parseMinor } from "../../format/minor"

/** As the API takes it: one of the method's packages, or an amount in minor units. */
export type Choice = { method: string; package?: string; amount?: number }

/** What was chosen on the page: `typed` counts when no package is. */
export type Chosen = { method: string | null; package: string | null; typed: string }

export const NOTHING: Chosen = { method: null, package: null, typed: "" }

/** The method that is on: the chosen one, or the first. */
export function methodOf(methods: Offer[], chosen: Chosen): Offer | undefined {
  return methods.find(({ id }) => id === chosen.method) ?? methods[0]
}

/** What to ask a price for; null while nothing that can be bought is chosen. */
export function choiceOf(method: Offer | undefined, chosen: Chosen): Choice | null {
  if (!method) return null
  if (chosen.package !== null && method.packages.some(({ id }) => id === chosen.package))
    return { method: method.id, package: chosen.package }
  const amount = method.custom_amount ? parseMinor(chosen.typed, method.exponent) : null
  return amount === null || outOf(method, amount) ? null : { method: method.id, amount }
}

/** Which bound an amount is beyond. */
export function outOf(method: Offer, amount: number): "minimum" | "maximum" | null {
  if (amount < Math.max(1, method.minimum ?? 1)) return "minimum"
  return method.maximum !== null && amount > method.maximum ? "maximum" : null
}

/** What is wrong with the typed amount; null while the field is empty or a package is chosen. */
export function typedProblem(method: Offer, chosen: Chosen): "unreadable" | "minimum" | "maximum" | null {
  if (chosen.package !== null || chosen.typed.trim() === "") return null
  const amount = parseMinor(chosen.typed, method.exponent)
  return amount === null ? "unreadable" : outOf(method, amount)
}

/** The bonus in per cent of the quota, as "1" or "12.5"; null where there is none. */
export function bonusPercent(quota: number, bonus: number): string | null {
  if (bonus <= 0 || quota <= 0) return null
  const tenths = Number((BigInt(bonus) * 1000n) / BigInt(quota))
  return tenths === 0 ? null : String(tenths / 10)
}
