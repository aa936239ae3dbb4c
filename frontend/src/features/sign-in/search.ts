export type SignInSearch = { next?: string; code?: string }

/** Where to go after signing in: an address of this console only, so that no link can send people elsewhere. */
export function readSignInSearch(search: Record<string, unknown>): SignInSearch {
  const { next, code } = search
  return {
    ...(typeof next === "string" && /^\/(?![/\\])/.test(next) && { next }),
    ...(typeof code === "string" && code !== "" && { code }),
  }
}
