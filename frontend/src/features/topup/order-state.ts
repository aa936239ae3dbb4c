// An order's state in the words and colours of the page, and how long to wait before looking again.
import type { Order } from "../../api/types"
import type { Tone } from "../../components/state"

export type Situation =
  | "waiting"
  | "cancelled"
  | "expired"
  | "failed"
  | "credited"
  | "partly_refunded"
  | "refunded"
  | "disputed"
  | "review"

/** What happened, finer than the status: who cancelled knows that nothing expired. */
export function situationOf(order: Order): Situation {
  switch (order.status) {
    case "pending":
      return "waiting"
    case "expired":
      return order.reason === "cancelled" ? "cancelled" : "expired"
    case "paid":
      return order.refunded_amount > 0 ? "partly_refunded" : "credited"
    default:
      return order.status
  }
}

export const TONES: Record<Situation, Tone> = {
  waiting: "warn",
  cancelled: "off",
  expired: "off",
  failed: "bad",
  credited: "good",
  partly_refunded: "half",
  refunded: "off",
  disputed: "bad",
  review: "warn",
}

/** Something was credited, so there is a receipt for it. */
export function hasReceipt(order: Order): boolean {
  return order.paid_at !== null && order.credited_quota > 0
}

const QUIET_MS = 30_000

/** It is taking longer than processors take. */
export function isQuiet(openedAt: number, now: number): boolean {
  return now - openedAt > QUIET_MS
}

/** The wait before the next look; false when nothing can change by itself within a sitting. */
export function pollPause(order: Order, now: number): number | false {
  const age = now - Date.parse(order.created_at)
  switch (situationOf(order)) {
    case "waiting":
      return age < 60_000 ? 1_500 : age < 600_000 ? 4_000 : 15_000
    case "expired":
    case "failed":
    case "cancelled":
    case "review":
    case "disputed":
      return 30_000
    default:
      return false
  }
}
