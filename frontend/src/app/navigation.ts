// The console's places, in the order of the sidebar. An entry stands here only when its page exists.
import {
  Building2,
  KeyRound,
  Layers,
  LayoutDashboard,
  type LucideIcon,
  ReceiptText,
  Scale,
  Settings,
  Tag,
  Ticket,
  Wallet,
  Waypoints,
} from "lucide-react"

export type Place = {
  to: string
  label: `nav.${"dashboard" | "usage" | "keys" | "topup" | "pricing" | "settings" | "channels" | "rateCards" | "groups" | "accounts" | "codes"}`
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
export const OPERATOR_PLACES: Place[] = [
  { to: "/console/admin/channels", label: "nav.channels", icon: Waypoints },
  { to: "/console/admin/rate-cards", label: "nav.rateCards", icon: Scale },
  { to: "/console/admin/groups", label: "nav.groups", icon: Layers },
  { to: "/console/admin/accounts", label: "nav.accounts", icon: Building2 },
  { to: "/console/admin/codes", label: "nav.codes", icon: Ticket },
]
