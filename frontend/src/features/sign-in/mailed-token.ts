let taken = ""

/** The token behind the #: servers never see it, and it leaves the address bar at once. */
export function takeMailedToken(): string {
  const found = decodeURIComponent(window.location.hash.slice(1))
  if (found) {
    taken = found
    window.history.replaceState(window.history.state, "", window.location.pathname)
  }
  return taken
}
