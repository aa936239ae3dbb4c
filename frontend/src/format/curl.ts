/** A call that works when pasted into a shell where AIROUTER_KEY holds a key. `-i` shows the request id. */
export function sampleCurl(gatewayUrl: string, model: string): string {
  const body = JSON.stringify({ model, messages: [{ role: "user", content: "Say hello" }] })
  return [
    `curl -i ${gatewayUrl}/chat/completions \\`,
    '  -H "Authorization: Bearer $AIROUTER_KEY" \\',
    '  -H "Content-Type: application/json" \\',
    `  -d '${body.replaceAll("'", "'\\''")}'`,
  ].join("\n")
}
