// Addresses that anybody may open.
import { createRoute, lazyRouteComponent } from "@tanstack/react-router"
import { readPricingSearch } from "../../features/pricing/search"
import { readSignInSearch } from "../../features/sign-in/search"
import { wordsFor } from "../../i18n"
import { NotFound } from "../failures"
import { either, open } from "./frames"

const home = createRoute({
  getParentRoute: () => open,
  path: "/",
  loader: () => wordsFor("home"),
  component: lazyRouteComponent(() => import("../../features/home/home-page")),
})

const signIn = createRoute({
  getParentRoute: () => open,
  path: "/sign-in",
  validateSearch: readSignInSearch,
  loader: () => wordsFor("sign-in"),
  component: lazyRouteComponent(() => import("../../features/sign-in/sign-in-page")),
})

const register = createRoute({
  getParentRoute: () => open,
  path: "/register",
  validateSearch: readSignInSearch,
  loader: () => wordsFor("sign-in"),
  component: lazyRouteComponent(() => import("../../features/sign-in/register-page")),
})

const proved = createRoute({
  getParentRoute: () => open,
  path: "/proved",
  validateSearch: readSignInSearch,
  loader: () => wordsFor("sign-in"),
  component: lazyRouteComponent(() => import("../../features/sign-in/proved-page")),
})

const verify = createRoute({
  getParentRoute: () => open,
  path: "/verify",
  loader: () => wordsFor("sign-in"),
  component: lazyRouteComponent(() => import("../../features/sign-in/verify-page")),
})

const forgot = createRoute({
  getParentRoute: () => open,
  path: "/forgot",
  loader: () => wordsFor("sign-in"),
  component: lazyRouteComponent(() => import("../../features/sign-in/forgot-page")),
})

const reset = createRoute({
  getParentRoute: () => open,
  path: "/reset",
  loader: () => wordsFor("sign-in"),
  component: lazyRouteComponent(() => import("../../features/sign-in/reset-page")),
})

const accept = createRoute({
  getParentRoute: () => open,
  path: "/accept",
  loader: () => wordsFor("sign-in"),
  component: lazyRouteComponent(() => import("../../features/sign-in/one-time-page"), "AcceptPage"),
})

const setup = createRoute({
  getParentRoute: () => open,
  path: "/setup",
  loader: () => wordsFor("sign-in"),
  component: lazyRouteComponent(() => import("../../features/sign-in/one-time-page"), "SetupPage"),
})

const invitation = createRoute({
  getParentRoute: () => open,
  path: "/invitation",
  loader: () => wordsFor("invitation"),
  component: lazyRouteComponent(() => import("../../features/invitation/invitation-page")),
})

const pricing = createRoute({
  getParentRoute: () => either,
  path: "/pricing",
  staticData: { title: "nav.pricing" },
  validateSearch: readPricingSearch,
  loader: () => wordsFor("pricing"),
  component: lazyRouteComponent(() => import("../../features/pricing/pricing-page")),
})

/** Every address that is no page of ours: said in the frame that somebody is in. */
const nowhere = createRoute({ getParentRoute: () => either, path: "/$", component: NotFound })

export const publicPages = [
  home,
  signIn,
  register,
  proved,
  verify,
  forgot,
  reset,
  accept,
  setup,
  invitation,
] as const

/** For everyone, signed in or not. */
export const eitherPages = [pricing, nowhere] as const
