/** The built page in headless Chromium, as two people see it who write to each other. */
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { base, key, run } from "./lib.mjs";

const screenshots = process.env.MURPH_SCREENSHOTS;
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-gpu"],
});

const complaints = [];

/** Opens the page as somebody and waits until it is connected. Whatever it should not do becomes a complaint. */
async function open(user, options) {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(15_000);
  context.on("request", (r) => {
    const url = new URL(r.url());
    if (url.host !== base.host && url.protocol !== "data:") complaints.push(`${user}: request to ${url.origin}`);
  });
  const page = await context.newPage();
  page.on("websocket", (ws) => {
    if (new URL(ws.url()).host !== base.host) complaints.push(`${user}: socket to ${ws.url()}`);
  });
  page.on("console", (m) => {
    if (m.type() === "error" || m.type() === "warning") complaints.push(`${user}: console: ${m.text()}`);
  });
  page.on("pageerror", (err) => complaints.push(`${user}: ${err}`));
  await page.goto(new URL(`?user=${user}`, base).href);
  await connected(page);
  return page;
}

const connected = (page) => page.locator('.connection[data-state="connected"]').waitFor();
const composer = (page) => page.getByRole("textbox", { name: /^(Ihre Nachricht|Your message)$/ });
const bubble = (page, text) => page.locator(".message .content").getByText(text, { exact: true });

async function write(page, text) {
  await composer(page).fill(text);
  await composer(page).press("Enter");
}

async function seenOnce(page, text) {
  await bubble(page, text).waitFor();
  assert.equal(await bubble(page, text).count(), 1, `"${text}" is there once`);
}

const own = (page, tag) =>
  page.locator(".message .content").allTextContents().then((all) => all.filter((text) => text.includes(tag)));

const tag = key().slice(0, 8);
const patient = await open("patient-1", { locale: "de-DE", viewport: { width: 1280, height: 800 }, colorScheme: "light" });
const student = await open("student-1", { locale: "en-GB", viewport: { width: 360, height: 740 }, colorScheme: "dark" });

await run(
  "browser",
  [
    ["each sees the other's message without reloading, once", async () => {
      await write(patient, `Guten Tag! Mein Rücken schmerzt seit Montag. ${tag}`);
      await seenOnce(student, `Guten Tag! Mein Rücken schmerzt seit Montag. ${tag}`);
      await write(student, `Hello, I am sorry to hear that. Where exactly? ${tag}`);
      await seenOnce(patient, `Hello, I am sorry to hear that. Where exactly? ${tag}`);
      for (const page of [patient, student]) assert.equal((await own(page, tag)).length, 2);
    }],
    ["an event brings it, and no turn of the poll", async () => {
      const polls = [];
      student.on("request", (r) => {
        if (r.url().includes("since=")) polls.push(r.url());
      });
      await write(patient, `Unten links, wenn ich lange sitze. ${tag}`);
      await seenOnce(student, `Unten links, wenn ich lange sitze. ${tag}`);
      assert.deepEqual(polls, []);
    }],
    ["the sender's bubble is there before the server answers, and is the same one afterwards", async () => {
      let release;
      const held = new Promise((resolve) => (release = resolve));
      await patient.route("**/api/nachrichten", async (route) => {
        await held;
        await route.continue();
      });
      const text = `Soll ich Wärme versuchen? ${tag}`;
      await write(patient, text);
      await bubble(patient, text).waitFor();
      const item = patient.locator(".message.sending");
      assert.equal(await item.count(), 1);
      await item.evaluate((el) => (el.mark = "mine"));
      release();
      await seenOnce(student, text);
      await patient.locator(".message.sending").waitFor({ state: "detached" });
      await patient.unroute("**/api/nachrichten");
      const confirmed = patient.locator(".message", { hasText: text });
      assert.equal(await confirmed.evaluate((el) => el.mark), "mine");
    }],
    ["a send that fails twice is repeated and stored once", async () => {
      let failures = 0;
      await patient.route("**/api/nachrichten", (route) =>
        failures++ < 2 ? route.abort("connectionreset") : route.continue(),
      );
      const text = `Noch eine Frage. ${tag}`;
      const before = complaints.length;
      await write(patient, text);
      await seenOnce(student, text);
      await patient.locator(".message.sending").waitFor({ state: "detached" });
      await seenOnce(patient, text);
      await patient.unroute("**/api/nachrichten");
      // Chromium itself reports each request that we broke.
      complaints.splice(before, complaints.length, ...complaints.slice(before).filter((c) => !c.includes("ERR_CONNECTION_RESET")));
    }],
    ["what looks like HTML or a script stays text", async () => {
      const text = `<img src=x onerror="document.title='hacked'"> <script>alert(1)</script> javascript:alert(1) ${tag}`;
      await write(student, text);
      await seenOnce(patient, text);
      assert.equal(await patient.locator(".message img, .message script, .message a").count(), 0);
      assert.equal(await patient.title(), "Murph");
    }],
    ["both see the same order", async () => {
      for (const n of [1, 2, 3]) await Promise.all([write(patient, `P${n} ${tag}`), write(student, `S${n} ${tag}`)]);
      for (const n of [1, 2, 3]) {
        await seenOnce(student, `P${n} ${tag}`);
        await seenOnce(patient, `S${n} ${tag}`);
      }
      for (const page of [patient, student]) await page.locator(".message.sending").waitFor({ state: "detached" });
      assert.deepEqual(await own(patient, tag), await own(student, tag));
    }],
    ["after a reload the history is there, each message once", async () => {
      const before = await own(patient, tag);
      await patient.reload();
      await connected(patient);
      await seenOnce(patient, before[0]);
      assert.deepEqual(await own(patient, tag), before);
    }],
    ["the page speaks the browser's language and can be switched", async () => {
      assert.equal(await patient.locator("html").getAttribute("lang"), "de");
      assert.equal(await student.locator("html").getAttribute("lang"), "en");
      await patient.getByRole("button", { name: "English" }).click();
      await patient.getByRole("textbox", { name: "Your message" }).waitFor();
      await patient.getByRole("button", { name: "Deutsch" }).click();
      await patient.getByRole("textbox", { name: "Ihre Nachricht" }).waitFor();
    }],
    ["new messages are in a log, the composer has a name, and nothing is wider than 360 px", async () => {
      await write(patient, `Vielen Dank! ${tag}`);
      await student.getByRole("log").getByText(`Vielen Dank! ${tag}`).waitFor();
      assert.ok(await composer(student).isVisible());
      const wide = await student.evaluate(() => document.scrollingElement.scrollWidth - window.innerWidth);
      assert.ok(wide <= 0, `${wide} px too wide`);
    }],
    ["screenshots are written", async () => {
      if (!screenshots) return;
      await mkdir(screenshots, { recursive: true });
      await composer(student).evaluate((el) => el.blur());
      await patient.screenshot({ path: join(screenshots, "desktop-light.png") });
      await student.screenshot({ path: join(screenshots, "360-dark.png") });
    }],
    ["on a narrow screen the list is one step back", async () => {
      await student.getByRole("button", { name: "Back to the consultations" }).click();
      const entry = student.getByRole("navigation").getByRole("button", { name: /Paula/ });
      await entry.waitFor();
      if (screenshots) await student.screenshot({ path: join(screenshots, "360-dark-list.png") });
      await entry.click();
      await connected(student);
    }],
    ["the list stays where the reader scrolled to, and leads back", async () => {
      for (let n = 0; n < 12; n++) await write(student, `Zeile ${n} ${tag}`);
      await seenOnce(patient, `Zeile 11 ${tag}`);
      await patient.locator(".scroller").evaluate((el) => (el.scrollTop = 0));
      await patient.waitForFunction(() => document.querySelector(".scroller").scrollTop === 0);
      await write(student, `Ganz unten ${tag}`);
      const toEnd = patient.getByRole("button", { name: "Neue Nachrichten" });
      await toEnd.click();
      await bubble(patient, `Ganz unten ${tag}`).waitFor();
      await patient.waitForFunction(() => {
        const el = document.querySelector(".scroller");
        return el.scrollHeight - el.scrollTop - el.clientHeight < 2;
      });
    }],
    ["no request to another host, nothing in the console", async () => assert.deepEqual(complaints, [])],
  ],
  () => browser.close(),
);
