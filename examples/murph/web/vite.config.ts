import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const server = process.env["MURPH_URL"] ?? "http://127.0.0.1:8080";

export default defineConfig({
  // Relative addresses: the page does not know where the server mounts it.
  base: "./",
  plugins: [react()],
  build: { target: "es2022", sourcemap: false, assetsInlineLimit: 0, modulePreload: { polyfill: false } },
  // The Host header stays the page's own, so that the server sees same-origin requests.
  server: {
    proxy: {
      "/api": { target: server, changeOrigin: false },
      "/demo": { target: server, changeOrigin: false },
      "/app": { target: server, changeOrigin: false, ws: true },
    },
  },
  test: { environment: "happy-dom", include: ["test/**/*.test.{ts,tsx}"], restoreMocks: true, testTimeout: 60_000 },
});
