/** The sections of the settings; which of them exist as pages stands in sections.tsx. */
const NAMES = ["profile", "security", "tokens", "alerts", "data"] as const

export type SectionName = (typeof NAMES)[number]
export type SettingsSearch = { section?: SectionName; problem?: string; linked?: string }

export function readSettingsSearch(search: Record<string, unknown>): SettingsSearch {
  const section = NAMES.find((name) => name === search.section)
  const { problem, linked } = search
  return {
    ...(section && { section }),
    ...(typeof problem === "string" && problem !== "" && { problem }),
    ...(typeof linked === "string" && linked !== "" && { linked }),
  }
}
