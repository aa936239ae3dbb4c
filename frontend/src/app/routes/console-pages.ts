// Addresses of people who signed in.
import { createRoute, lazyRouteComponent, redirect } from "@tanstack/react-router"
import { readAccountLogSearch } from "../../features/audit-log/search"
import { readDashboardSearch } from "../../features/dashboard/search"
import { readKeysSearch } from "../../features/keys/search"
import { readSettingsSearch } from "../../features/settings/search"
import { readUsageSearch } from "../../features/usage/search"
import { wordsFor } from "../../i18n"
import { framed } from "./frames"

const dashboard = createRoute({
  getParentRoute: () => framed,
  path: "/",
  staticData: { title: "nav.dashboard" },
  validateSearch: readDashboardSearch,
  loader: () => wordsFor("dashboard"),
  component: lazyRouteComponent(() => import("../../features/dashboard/dashboard-page")),
})

const usage = createRoute({
  getParentRoute: () => framed,
  path: "/usage",
  staticData: { title: "nav.usage" },
  validateSearch: readUsageSearch,
  loader: () => wordsFor("usage"),
  component: lazyRouteComponent(() => import("../../features/usage/usage-page")),
})

/** A receipt's own address; the receipt opens over the log. */
const usageReceipt = createRoute({
  getParentRoute: () => framed,
  path: "/usage/$requestId",
  beforeLoad: ({ params }) => {
    throw redirect({ to: "/console/usage", search: { receipt: params.requestId }, replace: true })
  },
})

const keys = createRoute({
  getParentRoute: () => framed,
  path: "/keys",
  staticData: { title: "nav.keys" },
  validateSearch: readKeysSearch,
  loader: () => wordsFor("keys"),
  component: lazyRouteComponent(() => import("../../features/keys/keys-page")),
})

const topup = createRoute({
  getParentRoute: () => framed,
  path: "/topup",
  staticData: { title: "nav.topup" },
  loader: () => Promise.all([wordsFor("topup"), wordsFor("referral")]),
  component: lazyRouteComponent(() => import("../topup-route")),
})

/** Where processors send people back to. */
const topupOrder = createRoute({
  getParentRoute: () => framed,
  path: "/topup/orders/$orderId",
  staticData: { title: "nav.topup" },
  loader: () => wordsFor("topup"),
  component: lazyRouteComponent(() => import("../../features/topup/order-page")),
})

const topupReceipt = createRoute({
  getParentRoute: () => framed,
  path: "/topup/orders/$orderId/receipt",
  staticData: { title: "nav.topup" },
  loader: () => wordsFor("topup"),
  component: lazyRouteComponent(() => import("../../features/topup/receipt-page")),
})

const team = createRoute({
  getParentRoute: () => framed,
  path: "/team",
  staticData: { title: "nav.team" },
  loader: () => wordsFor("team"),
  component: lazyRouteComponent(() => import("../../features/team/team-page")),
})

const activity = createRoute({
  getParentRoute: () => framed,
  path: "/audit-log",
  staticData: { title: "nav.activity" },
  validateSearch: readAccountLogSearch,
  loader: () => wordsFor("audit-log"),
  component: lazyRouteComponent(() => import("../../features/audit-log/account-log-page")),
})

const settings = createRoute({
  getParentRoute: () => framed,
  path: "/settings",
  staticData: { title: "nav.settings" },
  validateSearch: readSettingsSearch,
  loader: () => Promise.all([wordsFor("settings"), wordsFor("referral")]),
  component: lazyRouteComponent(() => import("../settings-route")),
})

export const consolePages = [
  dashboard,
  usage,
  usageReceipt,
  keys,
  topup,
  topupOrder,
  topupReceipt,
  team,
  activity,
  settings,
] as const
