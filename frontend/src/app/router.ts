// Every address of the console. A page's code and words are fetched when its address is first visited.
import type { QueryClient } from "@tanstack/react-query"
import { createRouter } from "@tanstack/react-router"
import { NotFound, RouteFailed } from "./failures"
import { adminPages } from "./routes/admin-pages"
import { consolePages } from "./routes/console-pages"
import { admin, either, framed, open, root } from "./routes/frames"
import { eitherPages, publicPages } from "./routes/public-pages"

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof makeRouter>
  }
}

const tree = root.addChildren([
  open.addChildren(publicPages),
  either.addChildren(eitherPages),
  framed.addChildren([...consolePages, admin.addChildren(adminPages)]),
])

export function makeRouter(queries: QueryClient) {
  return createRouter({
    routeTree: tree,
    context: { queries },
    defaultPreload: "intent",
    defaultPendingMs: 400,
    scrollRestoration: true,
    defaultErrorComponent: RouteFailed,
    defaultNotFoundComponent: NotFound,
  })
}
