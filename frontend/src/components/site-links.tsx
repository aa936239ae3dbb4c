import { useSuspenseQuery } from "@tanstack/react-query"
import { statusQuery } from "../api/queries"

const SAFE = ["https:", "http:", "mailto:"]

/** The links that the operator set for this installation; an address that is no page and no mail is left out. */
export function useSiteLinks(): { name: string; href: string }[] {
  const { data } = useSuspenseQuery(statusQuery)
  return Object.entries(data.links)
    .filter(([, href]) => URL.canParse(href) && SAFE.includes(new URL(href).protocol))
    .map(([name, href]) => ({ name, href }))
}
