import { afterEach, beforeEach, expect, test, vi } from "vitest"

const kept = new Map<string, string>()
let calls: string[] = []
let answers: Record<string, () => Response>

function json(status: number, value: unknown): Response {
  return new Response(JSON.stringify(value), { status, headers: { "content-type": "application/json" } })
}

const tokens = (name: string, seconds = 900) => ({
  access_token: name,
  token_type: "Bearer",
  expires_in: seconds,
})

beforeEach(() => {
  vi.resetModules()
  kept.clear()
  calls = []
  answers = {}
  vi.stubGlobal("window", { location: { origin: "http://console.example" } })
  vi.stubGlobal("localStorage", {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, value: string) => void kept.set(name, value),
    removeItem: (name: string) => void kept.delete(name),
  })
  vi.stubGlobal("BroadcastChannel", undefined)
  vi.stubGlobal("fetch", async (target: string | Request, init?: RequestInit) => {
    const request = new Request(target, init)
    const path = new URL(request.url).pathname
    calls.push(`${request.method} ${path} ${request.headers.get("authorization") ?? ""}`.trim())
    await Promise.resolve()
    return answers[path]?.() ?? json(404, { code: "not_found" })
  })
})

afterEach(() => vi.unstubAllGlobals())

async function modules() {
  return { session: await import("./session"), client: await import("./client") }
}

test("a visitor costs no request", async () => {
  const { session } = await modules()
  expect(await session.resume()).toBe(false)
  expect(calls).toEqual([])
})

test("an earlier session is taken up with its cookie", async () => {
  kept.set("airouter.signed_in", "1")
  answers["/api/v1/auth/refresh"] = () => json(200, tokens("one"))
  const { session } = await modules()
  expect(await session.resume()).toBe(true)
  expect(await session.bearer()).toBe("one")
})

test("many refused calls refresh once and are sent again", async () => {
  answers["/api/v1/auth/refresh"] = () => json(200, tokens("two"))
  let refusals = 3
  answers["/api/v1/me"] = () =>
    refusals-- > 0 ? json(401, { code: "unauthenticated" }) : json(200, { user: {} })
  const { session, client } = await modules()
  session.begin(tokens("one"))
  const bodies = await Promise.all([1, 2, 3].map(() => client.body(client.api().GET("/api/v1/me"))))
  expect(bodies).toHaveLength(3)
  expect(calls.filter((call) => call.includes("refresh"))).toHaveLength(1)
  expect(calls.filter((call) => call.endsWith("Bearer two"))).toHaveLength(3)
})

test("a body is sent again whole after a refresh", async () => {
  answers["/api/v1/auth/refresh"] = () => json(200, tokens("two"))
  let isFirst = true
  answers["/api/v1/redemptions"] = () => {
    if (!isFirst) return json(201, { amount: 1, balance: 1 })
    isFirst = false
    return json(401, { code: "unauthenticated" })
  }
  const { session, client } = await modules()
  session.begin(tokens("one"))
  const answer = await client.body(client.api().POST("/api/v1/redemptions", { body: { code: "ABC" } }))
  expect(answer).toEqual({ amount: 1, balance: 1 })
})

test("a token that is about to run out is refreshed before the call", async () => {
  answers["/api/v1/auth/refresh"] = () => json(200, tokens("fresh"))
  answers["/api/v1/me"] = () => json(200, {})
  const { session, client } = await modules()
  session.begin(tokens("old", 5))
  await client.body(client.api().GET("/api/v1/me"))
  expect(calls).toEqual(["POST /api/v1/auth/refresh", "GET /api/v1/me Bearer fresh"])
})

test("a refused refresh ends the session, and listeners hear of it", async () => {
  answers["/api/v1/auth/refresh"] = () => json(401, { code: "session_expired" })
  answers["/api/v1/me"] = () => json(401, { code: "unauthenticated" })
  const { session, client } = await modules()
  session.begin(tokens("one"))
  let heard = 0
  session.onSessionChange(() => heard++)
  await expect(client.body(client.api().GET("/api/v1/me"))).rejects.toMatchObject({ code: "unauthenticated" })
  expect([session.isSignedIn(), heard, kept.get("airouter.signed_in")]).toEqual([false, 1, undefined])
})

test("a gateway that does not answer does not sign anybody out", async () => {
  const { session } = await modules()
  session.begin(tokens("one", 5))
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("network")))
  await expect(session.bearer()).rejects.toMatchObject({ code: "unreachable" })
  expect(session.isSignedIn()).toBe(true)
})

test("a wrong password is told as it is, without a refresh", async () => {
  answers["/api/v1/auth/login"] = () => json(401, { code: "invalid_credentials", request_id: "r1" })
  const { client } = await modules()
  const login = client.body(
    client.api().POST("/api/v1/auth/login", { body: { email: "a@b.c", password: "x" } }),
  )
  await expect(login).rejects.toMatchObject({ code: "invalid_credentials", requestId: "r1" })
  expect(calls).toHaveLength(1)
})
