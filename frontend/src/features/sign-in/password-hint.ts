export const PASSWORD_LEAST = 10

/**
 * What may be said of a password while it is typed: only what is certain. The server judges it for good, with word lists
 * that would weigh more than this whole page.
 */
export function passwordHint(
  password: string,
  email: string,
): "passwordHelp" | "passwordAddress" | "passwordPlain" | "passwordLong" {
  const lowered = password.toLowerCase()
  const name = email.split("@", 1)[0]?.toLowerCase() ?? ""
  if (password.length < PASSWORD_LEAST) return "passwordHelp"
  if (name.length > 2 && lowered.includes(name)) return "passwordAddress"
  if (new Set(lowered).size < 6 || /^\d+$|^[a-z]{1,12}\d{0,4}!?$/.test(lowered)) return "passwordPlain"
  return "passwordLong"
}
