/** What the server asks for at least, in characters. */
export const PASSWORD_LEAST = 10

/**
 * What may be said of a password while it is typed: only what is certain. The server judges it for good, with word lists
 * that would weigh more than this whole page.
 */
export function passwordHint(password: string, email: string): "help" | "address" | "plain" | "long" {
  const lowered = password.toLowerCase()
  const name = email.split("@", 1)[0]?.toLowerCase() ?? ""
  if (password.length < PASSWORD_LEAST) return "help"
  if (name.length > 2 && lowered.includes(name)) return "address"
  if (new Set(lowered).size < 6 || /^\d+$|^[a-z]{1,12}\d{0,4}!?$/.test(lowered)) return "plain"
  return "long"
}
