import { QueryClient, QueryClientProvider } from "@tanstack/react-query"
import { RouterProvider } from "@tanstack/react-router"
import { StrictMode, Suspense } from "react"
import { createRoot } from "react-dom/client"
import { asProblem } from "./api/problem"
import { loadRuntime } from "./api/runtime"
import { isSignedIn, onSessionChange } from "./api/session"
import { makeRouter } from "./app/router"
import { Toasts } from "./components/toast"
import { startWords } from "./i18n"
import "./styles/index.css"

const RETRIES = 2

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      // A refusal is an answer; only silence and the server's own trouble are worth asking again.
      retry: (count, error) => {
        const { status } = asProblem(error)
        return count < RETRIES && (status === 0 || status >= 500)
      },
      refetchOnWindowFocus: true,
    },
  },
})
const router = makeRouter(queries)

onSessionChange(async () => {
  // What one account saw is nothing for the next.
  if (isSignedIn()) await queries.resetQueries({ predicate: ({ queryKey }) => queryKey[0] !== "status" })
  else {
    if (router.state.location.pathname.startsWith("/console")) await router.navigate({ to: "/sign-in" })
    queries.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== "status" })
  }
  await router.invalidate()
})

const root = document.getElementById("root")
if (!root) throw new Error("index.html has no #root")
await Promise.all([loadRuntime(), startWords()])
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <Suspense>
        <RouterProvider router={router} />
        <Toasts />
      </Suspense>
    </QueryClientProvider>
  </StrictMode>,
)
