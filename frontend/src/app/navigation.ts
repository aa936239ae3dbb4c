// The console's places, in the order of the sidebar. An entry stands here only when its page exists.
import { KeyRound, LayoutDashboard, type LucideIcon, ReceiptText, Settings, Tag, Wallet } from "lucide-react"

export type Place = {
  to: string
  label: "nav.dashboard" | "nav.usage" | "nav.keys" | "nav.topup" | "nav.pricing" | "nav.settings"
  icon: LucideIcon
}

export const PLACES: Place[] = [
  { to: "/console", label: "nav.dashboard", icon: LayoutDashboard },
  { to: "/console/keys", label: "nav.keys", icon: KeyRound },
  { to: "/console/usage", label: "nav.usage", icon: ReceiptText },
  { to: "/console/topup", label: "nav.topup", icon: Wallet },
  { to: "/pricing", label: "nav.pricing", icon: Tag },
  { to: "/console/settings", label: "nav.settings", icon: Settings },
]

/** Shown to operators and owners only. */
export const OPERATOR_PLACES: Place[] = []
