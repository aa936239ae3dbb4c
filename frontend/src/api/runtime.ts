/** Where the API lives, read from /config.json when the page starts: one build serves every deployment. */
let apiBase = ""

export async function loadRuntime(): Promise<void> {
  try {
    const config: { api_base?: unknown } = await (await fetch("/config.json", { cache: "no-cache" })).json()
    if (typeof config.api_base === "string") apiBase = config.api_base.replace(/\/+$/, "")
  } catch {
    // No file: the API is at the page's own origin.
  }
}

/** The origin of the API, without a slash at its end. */
export function apiOrigin(): string {
  return apiBase || window.location.origin
}

/** What an OpenAI client takes as its base URL. */
export function gatewayUrl(): string {
  return `${apiOrigin()}/v1`
}
