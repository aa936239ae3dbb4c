// Addresses of operators.
import { createRoute, lazyRouteComponent } from "@tanstack/react-router"
import { readAccountsSearch } from "../../features/accounts/search"
import { readAuditSearch } from "../../features/audit-log/search"
import { readChannelsSearch } from "../../features/channels/search"
import { readCodesSearch } from "../../features/codes/search"
import { readMarginsSearch } from "../../features/margins/search"
import { readOrdersSearch } from "../../features/orders/search"
import { readPoliciesSearch } from "../../features/policies/search"
import { readImportsSearch, readLinesSearch } from "../../features/price-import/search"
import { readReferralsSearch } from "../../features/referrals/search"
import { readUsersSearch } from "../../features/users/search"
import { wordsFor } from "../../i18n"
import { admin } from "./frames"

const identityProviders = createRoute({
  getParentRoute: () => admin,
  path: "/identity-providers",
  staticData: { title: "nav.identityProviders" },
  loader: () => wordsFor("identity-providers"),
  component: lazyRouteComponent(() => import("../../features/identity-providers/identity-providers-page")),
})

const channels = createRoute({
  getParentRoute: () => admin,
  path: "/channels",
  staticData: { title: "nav.channels" },
  validateSearch: readChannelsSearch,
  loader: () => wordsFor("channels"),
  component: lazyRouteComponent(() => import("../../features/channels/channels-page")),
})

const newChannel = createRoute({
  getParentRoute: () => admin,
  path: "/channels/new",
  staticData: { title: "nav.channels" },
  loader: () => wordsFor("channels"),
  component: lazyRouteComponent(() => import("../../features/channels/new-channel-page")),
})

const channel = createRoute({
  getParentRoute: () => admin,
  path: "/channels/$channelId",
  staticData: { title: "nav.channels" },
  loader: () => wordsFor("channels"),
  component: lazyRouteComponent(() => import("../../features/channels/channel-page")),
})

const rateCards = createRoute({
  getParentRoute: () => admin,
  path: "/rate-cards",
  staticData: { title: "nav.rateCards" },
  component: lazyRouteComponent(() => import("../../features/rate-cards/rate-cards-page")),
})

const priceImports = createRoute({
  getParentRoute: () => admin,
  path: "/price-imports",
  staticData: { title: "nav.priceImports" },
  validateSearch: readImportsSearch,
  loader: () => wordsFor("price-imports"),
  component: lazyRouteComponent(() => import("../../features/price-import/imports-page")),
})

const priceImport = createRoute({
  getParentRoute: () => admin,
  path: "/price-imports/$importId",
  staticData: { title: "nav.priceImports" },
  validateSearch: readLinesSearch,
  loader: () => wordsFor("price-imports"),
  component: lazyRouteComponent(() => import("../../features/price-import/import-page")),
})

const channelCosts = createRoute({
  getParentRoute: () => admin,
  path: "/channels/$channelId/costs",
  staticData: { title: "nav.channels" },
  loader: () => wordsFor("costs"),
  component: lazyRouteComponent(() => import("../../features/costs/costs-page")),
})

const margins = createRoute({
  getParentRoute: () => admin,
  path: "/margins",
  staticData: { title: "nav.margins" },
  validateSearch: readMarginsSearch,
  loader: () => wordsFor("margins"),
  component: lazyRouteComponent(() => import("../../features/margins/margins-page")),
})

const groups = createRoute({
  getParentRoute: () => admin,
  path: "/groups",
  staticData: { title: "nav.groups" },
  component: lazyRouteComponent(() => import("../../features/groups/groups-page")),
})

const accounts = createRoute({
  getParentRoute: () => admin,
  path: "/accounts",
  staticData: { title: "nav.accounts" },
  validateSearch: readAccountsSearch,
  component: lazyRouteComponent(() => import("../../features/accounts/accounts-page")),
})

const orders = createRoute({
  getParentRoute: () => admin,
  path: "/orders",
  staticData: { title: "nav.orders" },
  validateSearch: readOrdersSearch,
  loader: () => wordsFor("orders"),
  component: lazyRouteComponent(() => import("../../features/orders/orders-page")),
})

const paymentMethods = createRoute({
  getParentRoute: () => admin,
  path: "/payment-methods",
  staticData: { title: "nav.paymentMethods" },
  loader: () => wordsFor("payment-methods"),
  component: lazyRouteComponent(() => import("../../features/payment-methods/payment-methods-page")),
})

const users = createRoute({
  getParentRoute: () => admin,
  path: "/users",
  staticData: { title: "nav.users" },
  validateSearch: readUsersSearch,
  loader: () => wordsFor("users"),
  component: lazyRouteComponent(() => import("../../features/users/users-page")),
})

const codes = createRoute({
  getParentRoute: () => admin,
  path: "/codes",
  staticData: { title: "nav.codes" },
  validateSearch: readCodesSearch,
  loader: () => wordsFor("codes"),
  component: lazyRouteComponent(() => import("../../features/codes/codes-page")),
})

const auditLog = createRoute({
  getParentRoute: () => admin,
  path: "/audit-log",
  staticData: { title: "nav.auditLog" },
  validateSearch: readAuditSearch,
  loader: () => wordsFor("audit-log"),
  component: lazyRouteComponent(() => import("../../features/audit-log/audit-log-page")),
})

const referrals = createRoute({
  getParentRoute: () => admin,
  path: "/referrals",
  staticData: { title: "nav.referrals" },
  validateSearch: readReferralsSearch,
  loader: () => wordsFor("referrals"),
  component: lazyRouteComponent(() => import("../../features/referrals/referrals-page")),
})

const policies = createRoute({
  getParentRoute: () => admin,
  path: "/policies",
  staticData: { title: "nav.policies" },
  validateSearch: readPoliciesSearch,
  loader: () => wordsFor("policies"),
  component: lazyRouteComponent(() => import("../../features/policies/policies-page")),
})

const mails = createRoute({
  getParentRoute: () => admin,
  path: "/mails",
  staticData: { title: "nav.mails" },
  loader: () => wordsFor("mails"),
  component: lazyRouteComponent(() => import("../../features/mails/mails-page")),
})

export const adminPages = [
  identityProviders,
  channels,
  newChannel,
  channel,
  rateCards,
  priceImports,
  priceImport,
  channelCosts,
  margins,
  groups,
  accounts,
  orders,
  paymentMethods,
  users,
  codes,
  auditLog,
  referrals,
  policies,
  mails,
] as const
