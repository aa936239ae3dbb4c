// The console's places, in the order of the sidebar. An entry stands here only when its page exists.
import {
  Building2,
  ChartNoAxesCombined,
  CreditCard,
  FileInput,
  History,
  IdCard,
  KeyRound,
  Layers,
  LayoutDashboard,
  type LucideIcon,
  Mail,
  ReceiptText,
  Scale,
  ScrollText,
  Settings,
  ShoppingCart,
  SlidersHorizontal,
  Tag,
  Ticket,
  UserCog,
  UserPlus,
  Users,
  Wallet,
  Waypoints,
} from "lucide-react"
import type { Me } from "../api/types"

export type Place = {
  to: string
  label: `nav.${"dashboard" | "team" | "activity" | "users" | "usage" | "keys" | "topup" | "pricing" | "settings" | "channels" | "rateCards" | "priceImports" | "margins" | "groups" | "accounts" | "codes" | "referrals" | "auditLog" | "orders" | "paymentMethods" | "policies" | "identityProviders" | "mails"}`
  icon: LucideIcon
  /** What one has to be allowed in the account that one works in. */
  needs?: string
}

const PLACES: Place[] = [
  { to: "/console", label: "nav.dashboard", icon: LayoutDashboard },
  { to: "/console/keys", label: "nav.keys", icon: KeyRound, needs: "keys.read" },
  { to: "/console/usage", label: "nav.usage", icon: ReceiptText },
  { to: "/console/topup", label: "nav.topup", icon: Wallet, needs: "topup.read" },
  { to: "/pricing", label: "nav.pricing", icon: Tag },
  { to: "/console/team", label: "nav.team", icon: Users },
  { to: "/console/audit-log", label: "nav.activity", icon: History, needs: "acts.read" },
  { to: "/console/settings", label: "nav.settings", icon: Settings },
]

export const CHANNELS = "/console/admin/channels"

/** Shown to operators and owners only. */
export const OPERATOR_PLACES: Place[] = [
  { to: CHANNELS, label: "nav.channels", icon: Waypoints },
  { to: "/console/admin/rate-cards", label: "nav.rateCards", icon: Scale },
  { to: "/console/admin/price-imports", label: "nav.priceImports", icon: FileInput },
  { to: "/console/admin/margins", label: "nav.margins", icon: ChartNoAxesCombined },
  { to: "/console/admin/groups", label: "nav.groups", icon: Layers },
  { to: "/console/admin/accounts", label: "nav.accounts", icon: Building2 },
  { to: "/console/admin/users", label: "nav.users", icon: UserCog },
  { to: "/console/admin/orders", label: "nav.orders", icon: ShoppingCart },
  { to: "/console/admin/payment-methods", label: "nav.paymentMethods", icon: CreditCard },
  { to: "/console/admin/codes", label: "nav.codes", icon: Ticket },
  { to: "/console/admin/referrals", label: "nav.referrals", icon: UserPlus },
  { to: "/console/admin/policies", label: "nav.policies", icon: SlidersHorizontal },
  { to: "/console/admin/identity-providers", label: "nav.identityProviders", icon: IdCard },
  { to: "/console/admin/mails", label: "nav.mails", icon: Mail },
  { to: "/console/admin/audit-log", label: "nav.auditLog", icon: ScrollText },
]

/** Those that one may visit in the account that one works in. */
export function placesFor({ account }: Me): Place[] {
  return PLACES.filter(({ needs }) => needs === undefined || account.permissions.includes(needs))
}
