// Both documents of this version. Everything that would speak to another origin is off: fonts, telemetry, the hosted
// client, agents. The Content-Security-Policy of the page says the same once more.
Scalar.createApiReference("#reference", {
  sources: [
    { title: "Gateway", slug: "gateway", url: "/openapi/gateway.json", default: true },
    { title: "Management", slug: "management", url: "/openapi.json" },
  ],
  // The documents say "here"; an example that is copied has to say where that is.
  servers: [{ url: location.origin }],
  withDefaultFonts: false,
  telemetry: false,
  hideClientButton: true,
  showDeveloperTools: "never",
  agent: { disabled: true },
  mcp: { disabled: true },
  documentDownloadType: "direct",
})
