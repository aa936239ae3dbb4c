// The frames that pages are drawn in, and what each needs before it can be.
import type { QueryClient } from "@tanstack/react-query"
import {
  createRootRouteWithContext,
  createRoute,
  lazyRouteComponent,
  notFound,
  Outlet,
  redirect,
} from "@tanstack/react-router"
import { asProblem } from "../../api/problem"
import { meQuery, statusQuery, walletQuery } from "../../api/queries"
import { chooseAccount, chosenAccount, isSignedIn, resume } from "../../api/session"
import { wordsFor } from "../../i18n"
import type common from "../../i18n/locales/en/common.json"
import { RootFailed } from "../failures"
import { OpenFrame, PublicLayout } from "../layouts"

type Context = { queries: QueryClient }

declare module "@tanstack/react-router" {
  interface StaticDataRouteOption {
    /** What the breadcrumb says. */
    title?: `nav.${keyof (typeof common)["nav"] & string}`
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

export const root = createRootRouteWithContext<Context>()({
  beforeLoad: async () => {
    await resume()
  },
  loader: ({ context }) => context.queries.ensureQueryData(statusQuery),
  staleTime: Number.POSITIVE_INFINITY,
  component: Outlet,
  errorComponent: RootFailed,
})

export const open = createRoute({ getParentRoute: () => root, id: "public", component: PublicLayout })

/** For everyone: in the console's frame when signed in, in the public one otherwise. */
export const either = createRoute({
  getParentRoute: () => root,
  id: "either",
  loader: async (route) => {
    if (isSignedIn()) await loadFrame(route)
  },
  component: OpenFrame,
  errorComponent: RootFailed,
})

export const framed = createRoute({
  getParentRoute: () => root,
  path: "/console",
  beforeLoad: ({ location }) => {
    if (!isSignedIn()) throw redirect({ to: "/sign-in", search: { next: location.href } })
  },
  loader: loadFrame,
  component: lazyRouteComponent(() => import("../console-layout")),
  errorComponent: RootFailed,
})

/** The operator's pages; for everybody else these addresses do not exist. */
export const admin = createRoute({
  getParentRoute: () => framed,
  path: "/admin",
  beforeLoad: async ({ context }) => {
    const { user } = await context.queries.ensureQueryData(meQuery)
    if (user.role === "user") throw notFound()
  },
  loader: () => wordsFor("admin"),
  component: Outlet,
})
