const KEPT = "airouter.invitation"

/** The token behind the #: servers never see it. Kept for this tab, so that signing in on the way does not lose it. */
export function takeInvitation(): string {
  const found = decodeURIComponent(window.location.hash.slice(1))
  if (found) {
    window.history.replaceState(window.history.state, "", window.location.pathname)
    remember(found)
    return found
  }
  return heldInvitation()
}

export function forgetInvitation(): void {
  remember(null)
}

let taken = ""

function remember(token: string | null): void {
  taken = token ?? ""
  try {
    if (token === null) sessionStorage.removeItem(KEPT)
    else sessionStorage.setItem(KEPT, token)
  } catch {
    // Storage may be forbidden; the token then lasts as long as the page.
  }
}

/** The one that was not accepted yet; empty: there is none. */
export function heldInvitation(): string {
  try {
    return taken || (sessionStorage.getItem(KEPT) ?? "")
  } catch {
    return taken
  }
}
