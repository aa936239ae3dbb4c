import tailwindcss from "@tailwindcss/vite"
import react from "@vitejs/plugin-react"
import { defineConfig } from "vitest/config"

// `npm run dev` sends the API's paths to a running gateway, as the console's own web server does in production.
const gateway = process.env.AIROUTER_DEV_API ?? "http://127.0.0.1:8080"
const PATIENCE_MS = 60_000 // what a busy machine takes for what a quiet one does at once
const proxied = ["/api", "/v1", "/v1beta", "/healthz", "/readyz", "/openapi.json"]

export default defineConfig({
  plugins: [react(), tailwindcss()],
  server: { proxy: Object.fromEntries(proxied.map((path) => [path, { target: gateway }])) },
  build: { target: "es2023", sourcemap: false, reportCompressedSize: true },
  test: {
    include: ["src/**/*.test.{ts,tsx}"],
    environment: "node",
    css: true,
    testTimeout: PATIENCE_MS,
    hookTimeout: PATIENCE_MS,
    teardownTimeout: PATIENCE_MS,
  },
})
