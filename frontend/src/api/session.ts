// Who is signed in. The access token lives in this module's memory only; the refresh token is a cookie that scripts cannot read.
import { Problem, problemFrom, unreachable } from "./problem"
import { apiOrigin } from "./runtime"

export type Tokens = { access_token: string; expires_in: number }

const HINT = "airouter.signed_in"
const ACCOUNT = "airouter.account"
const EARLY_MS = 20_000

let token: { value: string; freshUntil: number } | null = null
let refreshing: Promise<boolean> | null = null
let account: string | null = null
const listeners = new Set<() => void>()
const otherTabs = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("airouter.session")

otherTabs?.addEventListener("message", () => end())

function remember(name: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(name)
    else localStorage.setItem(name, value)
  } catch {
    // Storage may be forbidden; the session then lasts as long as the page.
  }
}

function recall(name: string): string | null {
  try {
    return localStorage.getItem(name)
  } catch {
    return null
  }
}

/** The hint only says that asking for a refresh is worth it; it opens nothing. */
function keep(tokens: Tokens): void {
  token = { value: tokens.access_token, freshUntil: Date.now() + tokens.expires_in * 1000 - EARLY_MS }
  remember(HINT, "1")
}

/** Starts the session that a sign-in or a registration answered with. */
export function begin(tokens: Tokens): void {
  keep(tokens)
  for (const listener of listeners) listener()
}

function end(): void {
  token = null
  account = null
  remember(HINT, null)
  remember(ACCOUNT, null)
  for (const listener of listeners) listener()
}

/** Calls `listener` when someone signs in or out (here or in another tab) or works in another account. */
export function onSessionChange(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export function isSignedIn(): boolean {
  return token !== null
}

async function askForRefresh(): Promise<boolean> {
  let response: Response
  try {
    response = await fetch(`${apiOrigin()}/api/v1/auth/refresh`, { method: "POST", credentials: "include" })
  } catch (cause) {
    throw unreachable(cause)
  }
  if (response.ok) {
    keep(await response.json())
    return true
  }
  if (response.status === 401 || response.status === 403) {
    end()
    return false
  }
  throw await problemFrom(response)
}

/** One refresh at a time however many calls want it; true when there is a session afterwards. */
export function refresh(): Promise<boolean> {
  refreshing ??= askForRefresh().finally(() => {
    refreshing = null
  })
  return refreshing
}

/** True when someone is signed in; takes up the session of an earlier visit. Visitors cost no request. */
export async function resume(): Promise<boolean> {
  if (token) return true
  if (recall(HINT) === null) return false
  return refresh()
}

/** Takes up the session whose cookie came with a navigation: back from an identity provider. */
export async function takeUp(): Promise<boolean> {
  const isIn = await refresh()
  if (isIn) for (const listener of listeners) listener()
  return isIn
}

/** The bearer for a call made now, refreshed first when it is about to run out. */
export async function bearer(): Promise<string | null> {
  if (token && Date.now() >= token.freshUntil) await refresh()
  return token?.value ?? null
}

export async function signOut(): Promise<void> {
  const headers: Record<string, string> = token ? { authorization: `Bearer ${token.value}` } : {}
  try {
    const response = await fetch(`${apiOrigin()}/api/v1/auth/logout`, {
      method: "POST",
      credentials: "include",
      headers,
    })
    if (!response.ok && response.status !== 401) throw await problemFrom(response)
  } catch (cause) {
    throw cause instanceof Problem ? cause : unreachable(cause)
  }
  end()
  otherTabs?.postMessage("signed out")
}

/** The account one works in; null is the personal one. */
export function chosenAccount(): string | null {
  account ??= recall(ACCOUNT)
  return account
}

export function chooseAccount(id: string | null): void {
  account = id
  remember(ACCOUNT, id)
  for (const listener of listeners) listener()
}
