/** What the API says when it refuses: RFC 9457 with a stable `code` and the `request_id` to quote. */
export class Problem extends Error {
  constructor(
    readonly code: string,
    readonly status: number,
    readonly detail: string,
    readonly requestId: string | null,
    readonly facts: Record<string, unknown>,
  ) {
    super(detail || code)
    this.name = "Problem"
  }
}

/** The problem in a refused answer; an answer in another shape (a proxy's page) becomes one named by its status. */
export async function problemFrom(response: Response): Promise<Problem> {
  const requestId = response.headers.get("x-request-id")
  let facts: Record<string, unknown> = {}
  try {
    facts = await response.json()
  } catch {
    // Not JSON: the status says all there is.
  }
  const text = (name: string) => (typeof facts[name] === "string" ? (facts[name] as string) : "")
  return new Problem(
    text("code") || `http_${response.status}`,
    response.status,
    text("detail") || text("title"),
    text("request_id") || requestId,
    facts,
  )
}

/** No answer at all: the network or the gateway is away. */
export function unreachable(cause: unknown): Problem {
  return new Problem("unreachable", 0, "", null, { cause: String(cause) })
}

export function asProblem(error: unknown): Problem {
  return error instanceof Problem ? error : unreachable(error)
}
