// The typed client. Every refusal leaves here as a Problem, so callers see data or a thrown reason and nothing between.
import createClient from "openapi-fetch"
import { problemFrom, unreachable } from "./problem"
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

/** Sends with the bearer; on 401 refreshes once and sends again. The body is cloned first because it can be read only once. */
async function authorized(request: Request): Promise<Response> {
  const isAuth = new URL(request.url).pathname.startsWith("/api/v1/auth/")
  const token = isAuth ? null : await bearer()
  const again = token ? request.clone() : null
  let response = await send(signed(request, token))
  if (response.status === 401 && again && (await refresh()))
    response = await send(signed(again, await bearer()))
  if (!response.ok) throw await problemFrom(response)
  return response
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
