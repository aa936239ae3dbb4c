export const STEP_METHODS = ["totp", "passkey", "recovery_code"] as const
export type StepMethod = (typeof STEP_METHODS)[number]

export type SignInSearch = {
  next?: string
  code?: string
  /** Where one comes back from an identity provider: in already, or asked for a second factor. */
  step?: "second" | "done"
  methods?: string
  /** Why one came back without being let in. */
  problem?: string
}

/** Where to go after signing in: an address of this console only, so that no link can send people elsewhere. */
export function readSignInSearch(search: Record<string, unknown>): SignInSearch {
  const { next, step, methods, problem } = search
  // A referral link says `ref`; those of older gateways say `aff`. All digits, it was read as a number.
  const code = [search.code, search.ref, search.aff].find((value) => value !== undefined && value !== "")
  return {
    ...(typeof next === "string" && /^\/(?![/\\])/.test(next) && { next }),
    ...((typeof code === "string" || typeof code === "number") && { code: String(code) }),
    ...((step === "second" || step === "done") && { step }),
    ...(typeof methods === "string" && { methods }),
    ...(typeof problem === "string" && /^[a-z_]{1,60}$/.test(problem) && { problem }),
  }
}

/** The ways to do the second step that we know of, in the order in which they are offered. */
export function stepMethods(named: readonly string[]): StepMethod[] {
  return STEP_METHODS.filter((method) => named.includes(method))
}
