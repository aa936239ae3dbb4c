import { type ComponentType, lazy } from "react"
import type { SectionName } from "./search"

/** The sections of the settings in their order. To add one: a file beside this with a default export, and a line here. */
export const SECTIONS: { name: SectionName; Content: ComponentType }[] = [
  { name: "profile", Content: lazy(() => import("./profile")) },
  { name: "security", Content: lazy(() => import("./security")) },
  { name: "tokens", Content: lazy(() => import("./tokens")) },
  { name: "alerts", Content: lazy(() => import("./alerts")) },
  { name: "data", Content: lazy(() => import("./data")) },
]
