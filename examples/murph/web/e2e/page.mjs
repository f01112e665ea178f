/** The built page in headless Chromium: what the scripts that drive it share. */
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { base } from "./lib.mjs";

const chrome = {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-gpu"],
};
export const browser = await chromium.launch(chrome);

/** A browser that keeps pages for Back, which Playwright turns off. */
export const launchWithBackForwardCache = () =>
  chromium.launch({ ...chrome, ignoreDefaultArgs: ["--disable-back-forward-cache"] });

/** What a page did and should not have done: requests to other hosts, complaints in the console, errors. */
export const complaints = [];

export const german = { locale: "de-DE", viewport: { width: 1280, height: 800 }, colorScheme: "light" };
export const english = { locale: "en-GB", viewport: { width: 360, height: 740 }, colorScheme: "dark" };

/** Opens the page as somebody, in a browser of their own, and waits until it is connected. */
export async function open(user, options = {}, { at = base, wait = true, query = "", from = browser } = {}) {
  const context = await from.newContext(options);
  context.setDefaultTimeout(30_000);
  context.on("request", (r) => {
    const url = new URL(r.url());
    if (url.host !== at.host && url.protocol !== "data:") complaints.push(`${user}: request to ${url.origin}`);
  });
  const page = await context.newPage();
  page.on("websocket", (ws) => {
    if (new URL(ws.url()).host !== at.host) complaints.push(`${user}: socket to ${ws.url()}`);
  });
  page.on("console", (m) => {
    // Chromium itself reports each request that fails or is refused, which the scripts bring about on purpose.
    if (/Failed to load resource|WebSocket connection to .* failed|ERR_/.test(m.text())) return;
    if (m.type() === "error" || m.type() === "warning") complaints.push(`${user}: console: ${m.text()}`);
  });
  page.on("pageerror", (err) => complaints.push(`${user}: ${err}`));
  await page.goto(new URL(`?user=${user}${query}`, at).href);
  if (wait) await connected(page);
  return page;
}

export const connected = (page) => page.locator('.connection[data-state="connected"]').waitFor();
export const composer = (page) => page.getByRole("textbox", { name: /^(Ihre Nachricht|Your message)$/ });
export const bubble = (page, text) => page.locator(".message .content").getByText(text, { exact: true });
export const message = (page, text) => page.locator(".message", { has: page.locator(".content").getByText(text, { exact: true }) });
export const settled = (page) => page.locator(".message.sending").waitFor({ state: "detached" });

export async function write(page, text) {
  await composer(page).fill(text);
  await composer(page).press("Enter");
}

export async function seenOnce(page, text) {
  await bubble(page, text).first().waitFor();
  assert.equal(await bubble(page, text).count(), 1, `"${text}" is there once`);
}

/** The texts on the page, in order, of the messages that contain tag. */
export const texts = (page, tag = "") =>
  page.locator(".message .content").allTextContents().then((all) => all.filter((text) => text.includes(tag)));

/** Waits for a condition on values that are fetched anew. */
export async function until(what, condition, ms = 30_000) {
  const end = Date.now() + ms;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`not so after ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Makes a page believe that it is hidden, or shown again. Headless windows never are. */
export async function setVisible(page, visible) {
  await page.evaluate((state) => {
    Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
    Object.defineProperty(document, "hasFocus", { value: () => state === "visible", configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  }, visible ? "visible" : "hidden");
}

const screenshots = process.env.MURPH_SCREENSHOTS;

export async function shoot(page, name) {
  if (!screenshots) return;
  await mkdir(screenshots, { recursive: true });
  await page.screenshot({ path: join(screenshots, `${name}.png`) });
}
