// The typed client. Every refusal leaves here as a Problem, so callers see data or a thrown reason and nothing between.
import createClient from "openapi-fetch"
import { type Problem, problemFrom, unreachable } from "./problem"
import { apiOrigin } from "./runtime"
import type { paths } from "./schema"
import { bearer, chosenAccount, refresh } from "./session"

function signed(request: Request, token: string | null): Request {
  const headers = new Headers(request.headers)
  if (token) headers.set("authorization", `Bearer ${token}`)
  const account = chosenAccount()
  if (token && account) headers.set("x-account-id", account)
  return new Request(request, { headers })
}

async function send(request: Request): Promise<Response> {
  try {
    return await fetch(request)
  } catch (cause) {
    if (request.signal.aborted) throw cause
    throw unreachable(cause)
  }
}

type Prover = (problem: Problem) => Promise<boolean>
let prover: Prover | null = null

/** Who asks the person to prove once more that it is them, when an act that matters wants it; true: they did. */
export function proveWith(ask: Prover): () => void {
  prover = ask
  return () => {
    prover = null
  }
}

/** Sends with the bearer; on 401 refreshes once and sends again. The body is cloned first because it can be read only once. */
async function once(request: Request, token: string | null): Promise<Response> {
  const again = token ? request.clone() : null
  const response = await send(signed(request, token))
  if (response.status === 401 && again && (await refresh())) return send(signed(again, await bearer()))
  return response
}

async function authorized(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url)
  const isAuth = pathname.startsWith("/api/v1/auth/") && !pathname.startsWith("/api/v1/auth/reauthenticate")
  const token = isAuth ? null : await bearer()
  const again = token ? request.clone() : null
  const response = await once(request, token)
  if (response.ok) return response
  const problem = await problemFrom(response)
  if (problem.code !== "reauthentication_required" || !again || !(await prover?.(problem))) throw problem
  const repeated = await once(again, await bearer())
  if (!repeated.ok) throw await problemFrom(repeated)
  return repeated
}

function make() {
  return createClient<paths>({ baseUrl: apiOrigin(), fetch: authorized, credentials: "include" })
}

let client: ReturnType<typeof make> | null = null

/** The client, made on first use: the API's address is known only after /config.json was read. */
export function api(): ReturnType<typeof make> {
  client ??= make()
  return client
}

/** The body of an answer. A refusal was thrown before, so what is missing here is an answer without a body. */
export async function body<T>(answer: Promise<{ data?: T }>): Promise<T> {
  return (await answer).data as T
}

/** A fresh value for the Idempotency-Key header: the same press of a button is never carried out twice. */
export function onceOnly(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("")
}
