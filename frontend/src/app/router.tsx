// Every address of the console, in one place. A page's code and words are fetched when its address is first visited.
import type { QueryClient } from "@tanstack/react-query"
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  notFound,
  Outlet,
  redirect,
} from "@tanstack/react-router"
import { asProblem } from "../api/problem"
import { meQuery, statusQuery, walletQuery } from "../api/queries"
import { chooseAccount, chosenAccount, isSignedIn, resume } from "../api/session"
import { readAccountsSearch } from "../features/accounts/search"
import { readAccountLogSearch, readAuditSearch } from "../features/audit-log/search"
import { readChannelsSearch } from "../features/channels/search"
import { readCodesSearch } from "../features/codes/search"
import { readDashboardSearch } from "../features/dashboard/search"
import { readKeysSearch } from "../features/keys/search"
import { readMarginsSearch } from "../features/margins/search"
import { readOrdersSearch } from "../features/orders/search"
import { readPoliciesSearch } from "../features/policies/search"
import { readImportsSearch, readLinesSearch } from "../features/price-import/search"
import { readPricingSearch } from "../features/pricing/search"
import { readReferralsSearch } from "../features/referrals/search"
import { readSettingsSearch } from "../features/settings/search"
import { readSignInSearch } from "../features/sign-in/search"
import { readUsageSearch } from "../features/usage/search"
import { readUsersSearch } from "../features/users/search"
import { wordsFor } from "../i18n"
import type common from "../i18n/locales/en/common.json"
import { NotFound, RootFailed, RootNotFound, RouteFailed } from "./failures"
import { OpenFrame, PublicLayout } from "./layouts"

type Context = { queries: QueryClient }

declare module "@tanstack/react-router" {
  interface StaticDataRouteOption {
    /** What the breadcrumb says. */
    title?: `nav.${keyof (typeof common)["nav"] & string}`
  }
  interface Register {
    router: ReturnType<typeof makeRouter>
  }
}

async function askFrame({ queries }: Context): Promise<void> {
  await Promise.all([queries.ensureQueryData(meQuery), queries.ensureQueryData(walletQuery)])
}

/** What every page of the console needs before it can be drawn. Whoever left the team they worked in is at home again. */
async function loadFrame({ context }: { context: Context }): Promise<void> {
  try {
    await askFrame(context)
  } catch (error) {
    if (asProblem(error).code !== "not_found" || chosenAccount() === null) throw error
    chooseAccount(null)
    await askFrame(context)
  }
}

const root = createRootRouteWithContext<Context>()({
  beforeLoad: async () => {
    await resume()
  },
  loader: ({ context }) => context.queries.ensureQueryData(statusQuery),
  staleTime: Number.POSITIVE_INFINITY,
  component: Outlet,
  errorComponent: RootFailed,
  notFoundComponent: RootNotFound,
})

const open = createRoute({ getParentRoute: () => root, id: "public", component: PublicLayout })

const home = createRoute({
  getParentRoute: () => open,
  path: "/",
  loader: () => wordsFor("home"),
  component: lazyRouteComponent(() => import("../features/home/home-page")),
})

const signIn = createRoute({
  getParentRoute: () => open,
  path: "/sign-in",
  validateSearch: readSignInSearch,
  loader: () => wordsFor("sign-in"),
  component: lazyRouteComponent(() => import("../features/sign-in/sign-in-page")),
})

const register = createRoute({
  getParentRoute: () => open,
  path: "/register",
  validateSearch: readSignInSearch,
  loader: () => wordsFor("sign-in"),
  component: lazyRouteComponent(() => import("../features/sign-in/register-page")),
})

const proved = createRoute({
  getParentRoute: () => open,
  path: "/proved",
  validateSearch: readSignInSearch,
  loader: () => wordsFor("sign-in"),
  component: lazyRouteComponent(() => import("../features/sign-in/proved-page")),
})

const verify = createRoute({
  getParentRoute: () => open,
  path: "/verify",
  loader: () => wordsFor("sign-in"),
  component: lazyRouteComponent(() => import("../features/sign-in/verify-page")),
})

const forgot = createRoute({
  getParentRoute: () => open,
  path: "/forgot",
  loader: () => wordsFor("sign-in"),
  component: lazyRouteComponent(() => import("../features/sign-in/forgot-page")),
})

const reset = createRoute({
  getParentRoute: () => open,
  path: "/reset",
  loader: () => wordsFor("sign-in"),
  component: lazyRouteComponent(() => import("../features/sign-in/reset-page")),
})

const accept = createRoute({
  getParentRoute: () => open,
  path: "/accept",
  loader: () => wordsFor("sign-in"),
  component: lazyRouteComponent(() => import("../features/sign-in/one-time-page"), "AcceptPage"),
})

const setup = createRoute({
  getParentRoute: () => open,
  path: "/setup",
  loader: () => wordsFor("sign-in"),
  component: lazyRouteComponent(() => import("../features/sign-in/one-time-page"), "SetupPage"),
})

const invitation = createRoute({
  getParentRoute: () => open,
  path: "/invitation",
  loader: () => wordsFor("invitation"),
  component: lazyRouteComponent(() => import("../features/invitation/invitation-page")),
})

/** For everyone: in the console's frame when signed in, in the public one otherwise. */
const either = createRoute({
  getParentRoute: () => root,
  id: "either",
  loader: async (route) => {
    if (isSignedIn()) await loadFrame(route)
  },
  component: OpenFrame,
})

const pricing = createRoute({
  getParentRoute: () => either,
  path: "/pricing",
  staticData: { title: "nav.pricing" },
  validateSearch: readPricingSearch,
  loader: () => wordsFor("pricing"),
  component: lazyRouteComponent(() => import("../features/pricing/pricing-page")),
})

const console_ = createRoute({
  getParentRoute: () => root,
  path: "/console",
  beforeLoad: ({ location }) => {
    if (!isSignedIn()) throw redirect({ to: "/sign-in", search: { next: location.href } })
  },
  loader: loadFrame,
  component: lazyRouteComponent(() => import("./console-layout")),
})

const dashboard = createRoute({
  getParentRoute: () => console_,
  path: "/",
  staticData: { title: "nav.dashboard" },
  validateSearch: readDashboardSearch,
  loader: () => wordsFor("dashboard"),
  component: lazyRouteComponent(() => import("../features/dashboard/dashboard-page")),
})

const usage = createRoute({
  getParentRoute: () => console_,
  path: "/usage",
  staticData: { title: "nav.usage" },
  validateSearch: readUsageSearch,
  loader: () => wordsFor("usage"),
  component: lazyRouteComponent(() => import("../features/usage/usage-page")),
})

/** A receipt's own address; the receipt opens over the log. */
const usageReceipt = createRoute({
  getParentRoute: () => console_,
  path: "/usage/$requestId",
  beforeLoad: ({ params }) => {
    throw redirect({ to: "/console/usage", search: { receipt: params.requestId }, replace: true })
  },
})

const keys = createRoute({
  getParentRoute: () => console_,
  path: "/keys",
  staticData: { title: "nav.keys" },
  validateSearch: readKeysSearch,
  loader: () => wordsFor("keys"),
  component: lazyRouteComponent(() => import("../features/keys/keys-page")),
})

const topup = createRoute({
  getParentRoute: () => console_,
  path: "/topup",
  staticData: { title: "nav.topup" },
  loader: () => Promise.all([wordsFor("topup"), wordsFor("referral")]),
  component: lazyRouteComponent(() => import("./topup-route")),
})

/** Where processors send people back to. */
const topupOrder = createRoute({
  getParentRoute: () => console_,
  path: "/topup/orders/$orderId",
  staticData: { title: "nav.topup" },
  loader: () => wordsFor("topup"),
  component: lazyRouteComponent(() => import("../features/topup/order-page")),
})

const topupReceipt = createRoute({
  getParentRoute: () => console_,
  path: "/topup/orders/$orderId/receipt",
  staticData: { title: "nav.topup" },
  loader: () => wordsFor("topup"),
  component: lazyRouteComponent(() => import("../features/topup/receipt-page")),
})

const team = createRoute({
  getParentRoute: () => console_,
  path: "/team",
  staticData: { title: "nav.team" },
  loader: () => wordsFor("team"),
  component: lazyRouteComponent(() => import("../features/team/team-page")),
})

const activity = createRoute({
  getParentRoute: () => console_,
  path: "/audit-log",
  staticData: { title: "nav.activity" },
  validateSearch: readAccountLogSearch,
  loader: () => wordsFor("audit-log"),
  component: lazyRouteComponent(() => import("../features/audit-log/account-log-page")),
})

const settings = createRoute({
  getParentRoute: () => console_,
  path: "/settings",
  staticData: { title: "nav.settings" },
  validateSearch: readSettingsSearch,
  loader: () => Promise.all([wordsFor("settings"), wordsFor("referral")]),
  component: lazyRouteComponent(() => import("./settings-route")),
})

/** The operator's pages; for everybody else these addresses do not exist. */
const admin = createRoute({
  getParentRoute: () => console_,
  path: "/admin",
  beforeLoad: async ({ context }) => {
    const { user } = await context.queries.ensureQueryData(meQuery)
    if (user.role === "user") throw notFound()
  },
  loader: () => wordsFor("admin"),
  component: Outlet,
})

const identityProviders = createRoute({
  getParentRoute: () => admin,
  path: "/identity-providers",
  staticData: { title: "nav.identityProviders" },
  loader: () => wordsFor("identity-providers"),
  component: lazyRouteComponent(() => import("../features/identity-providers/identity-providers-page")),
})

const channels = createRoute({
  getParentRoute: () => admin,
  path: "/channels",
  staticData: { title: "nav.channels" },
  validateSearch: readChannelsSearch,
  loader: () => wordsFor("channels"),
  component: lazyRouteComponent(() => import("../features/channels/channels-page")),
})

const newChannel = createRoute({
  getParentRoute: () => admin,
  path: "/channels/new",
  staticData: { title: "nav.channels" },
  loader: () => wordsFor("channels"),
  component: lazyRouteComponent(() => import("../features/channels/new-channel-page")),
})

const channel = createRoute({
  getParentRoute: () => admin,
  path: "/channels/$channelId",
  staticData: { title: "nav.channels" },
  loader: () => wordsFor("channels"),
  component: lazyRouteComponent(() => import("../features/channels/channel-page")),
})

const rateCards = createRoute({
  getParentRoute: () => admin,
  path: "/rate-cards",
  staticData: { title: "nav.rateCards" },
  component: lazyRouteComponent(() => import("../features/rate-cards/rate-cards-page")),
})

const priceImports = createRoute({
  getParentRoute: () => admin,
  path: "/price-imports",
  staticData: { title: "nav.priceImports" },
  validateSearch: readImportsSearch,
  loader: () => wordsFor("price-imports"),
  component: lazyRouteComponent(() => import("../features/price-import/imports-page")),
})

const priceImport = createRoute({
  getParentRoute: () => admin,
  path: "/price-imports/$importId",
  staticData: { title: "nav.priceImports" },
  validateSearch: readLinesSearch,
  loader: () => wordsFor("price-imports"),
  component: lazyRouteComponent(() => import("../features/price-import/import-page")),
})

const channelCosts = createRoute({
  getParentRoute: () => admin,
  path: "/channels/$channelId/costs",
  staticData: { title: "nav.channels" },
  loader: () => wordsFor("costs"),
  component: lazyRouteComponent(() => import("../features/costs/costs-page")),
})

const margins = createRoute({
  getParentRoute: () => admin,
  path: "/margins",
  staticData: { title: "nav.margins" },
  validateSearch: readMarginsSearch,
  loader: () => wordsFor("margins"),
  component: lazyRouteComponent(() => import("../features/margins/margins-page")),
})

const groups = createRoute({
  getParentRoute: () => admin,
  path: "/groups",
  staticData: { title: "nav.groups" },
  component: lazyRouteComponent(() => import("../features/groups/groups-page")),
})

const accounts = createRoute({
  getParentRoute: () => admin,
  path: "/accounts",
  staticData: { title: "nav.accounts" },
  validateSearch: readAccountsSearch,
  component: lazyRouteComponent(() => import("../features/accounts/accounts-page")),
})

const orders = createRoute({
  getParentRoute: () => admin,
  path: "/orders",
  staticData: { title: "nav.orders" },
  validateSearch: readOrdersSearch,
  loader: () => wordsFor("orders"),
  component: lazyRouteComponent(() => import("../features/orders/orders-page")),
})

const paymentMethods = createRoute({
  getParentRoute: () => admin,
  path: "/payment-methods",
  staticData: { title: "nav.paymentMethods" },
  loader: () => wordsFor("payment-methods"),
  component: lazyRouteComponent(() => import("../features/payment-methods/payment-methods-page")),
})

const users = createRoute({
  getParentRoute: () => admin,
  path: "/users",
  staticData: { title: "nav.users" },
  validateSearch: readUsersSearch,
  loader: () => wordsFor("users"),
  component: lazyRouteComponent(() => import("../features/users/users-page")),
})

const codes = createRoute({
  getParentRoute: () => admin,
  path: "/codes",
  staticData: { title: "nav.codes" },
  validateSearch: readCodesSearch,
  loader: () => wordsFor("codes"),
  component: lazyRouteComponent(() => import("../features/codes/codes-page")),
})

const auditLog = createRoute({
  getParentRoute: () => admin,
  path: "/audit-log",
  staticData: { title: "nav.auditLog" },
  validateSearch: readAuditSearch,
  loader: () => wordsFor("audit-log"),
  component: lazyRouteComponent(() => import("../features/audit-log/audit-log-page")),
})

const referrals = createRoute({
  getParentRoute: () => admin,
  path: "/referrals",
  staticData: { title: "nav.referrals" },
  validateSearch: readReferralsSearch,
  loader: () => wordsFor("referrals"),
  component: lazyRouteComponent(() => import("../features/referrals/referrals-page")),
})

const policies = createRoute({
  getParentRoute: () => admin,
  path: "/policies",
  staticData: { title: "nav.policies" },
  validateSearch: readPoliciesSearch,
  loader: () => wordsFor("policies"),
  component: lazyRouteComponent(() => import("../features/policies/policies-page")),
})

const mails = createRoute({
  getParentRoute: () => admin,
  path: "/mails",
  staticData: { title: "nav.mails" },
  loader: () => wordsFor("mails"),
  component: lazyRouteComponent(() => import("../features/mails/mails-page")),
})

const tree = root.addChildren([
  open.addChildren([home, signIn, register, proved, verify, forgot, reset, accept, setup, invitation]),
  either.addChildren([pricing]),
  console_.addChildren([
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
    admin.addChildren([
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
      users,
      codes,
      referrals,
      auditLog,
      policies,
      mails,
      orders,
      paymentMethods,
      identityProviders,
    ]),
  ]),
])

export function makeRouter(queries: QueryClient) {
  return createRouter({
    routeTree: tree,
    context: { queries },
    defaultPreload: "intent",
    defaultPendingMs: 400,
    scrollRestoration: true,
    defaultErrorComponent: RouteFailed,
    defaultNotFoundComponent: NotFound,
  })
}
