export type AuditSearch = {
  action?: string
  subject?: string
  person?: string
  account?: string
  act?: string
}

const NAMES = ["action", "subject", "person", "account", "act"] as const

/** Filters and the open act; an id that is none is kept, and the API says so. */
export function readAuditSearch(search: Record<string, unknown>): AuditSearch {
  return Object.fromEntries(
    NAMES.flatMap((name) => {
      const value = search[name]
      return value === undefined || value === "" ? [] : [[name, String(value)]]
    }),
  )
}

export type AccountLogSearch = { action?: string; act?: string }

export function readAccountLogSearch(search: Record<string, unknown>): AccountLogSearch {
  const { action, act } = readAuditSearch(search)
  return { ...(action && { action }), ...(act && { act }) }
}
