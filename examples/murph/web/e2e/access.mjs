/** Every view of the page under axe, in both languages, wide and narrow, light and dark, with a screenshot of each. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { base, key, login, run, send } from "./lib.mjs";
import { browser, bubble, complaints, composer, connected, message, open, setVisible, settled, shoot } from "./page.mjs";

const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const tag = key().slice(0, 8);
const wide = { width: 1280, height: 800 };
const narrow = { width: 360, height: 740 };
const wideGerman = { viewport: wide, colorScheme: "light", locale: "de-DE" };
const looks = [
  ["desktop-light", wideGerman],
  ["desktop-dark", { viewport: wide, colorScheme: "dark", locale: "en-GB" }],
  ["360-light", { viewport: narrow, colorScheme: "light", locale: "en-GB", hasTouch: true }],
  ["360-dark", { viewport: narrow, colorScheme: "dark", locale: "de-DE", hasTouch: true }],
].filter(([look]) => look.includes(process.env.MURPH_LOOKS ?? ""));

/** Has axe look at what is on the screen, and keeps a picture of it. */
async function check(page, name) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  const found = violations.map((v) => `${v.impact} ${v.id}: ${v.nodes.map((n) => n.target.join(" ")).slice(0, 3).join(", ")}`);
  assert.deepEqual(found, [], `axe about ${name}`);
  const over = await page.evaluate(() => document.scrollingElement.scrollWidth - window.innerWidth);
  assert.ok(over <= 0, `${name} is ${over} px too wide`);
  await shoot(page, name);
}

/** On a touch screen Enter begins a new line. */
async function sendByButton(page, text) {
  await composer(page).fill(text);
  await page.getByRole("button", { name: /^(Senden|Send)$/ }).click();
}

const student = await login("student-1");
const de = /^(Ihre Nachricht|Your message)$/;
await send(student, `Guten Tag, Frau Berger. Wo genau tut es weh? ${tag}`);
await send(student, `https://example.org/${"lang".repeat(30)} ${tag}`);

/** One look: from choosing a person to a consultation that is no longer one's own. */
async function views(look, options) {
  const pick = await open("", options, { wait: false });
  await pick.getByRole("heading", { level: 1 }).waitFor();
  await check(pick, `${look}-pick`);
  await pick.context().close();

  const page = await open("patient-1", options, { wait: false, query: "&consultation=" });
  await page.getByRole("navigation").getByRole("button", { name: /Stefan/ }).waitFor();
  await check(page, `${look}-list`);
  await page.getByRole("navigation").getByRole("button", { name: /Stefan/ }).click();
  await connected(page);
  await sendByButton(page, `Unten links, wenn ich lange sitze. ${look} ${tag}`);
  await settled(page);
  await check(page, `${look}-chat`);

  const own = message(page, `Unten links, wenn ich lange sitze. ${look} ${tag}`);
  await own.getByRole("button").first().focus();
  await check(page, `${look}-tools`);
  await own.getByRole("button").first().press("Enter");
  await page.getByRole("textbox", { name: /bearbeiten|Edit message/ }).waitFor();
  await check(page, `${look}-edit`);
  await page.keyboard.press("Escape");

  await page.route("**/api/nachrichten", (route) => route.fulfill({ status: 400, contentType: "application/problem+json", body: "{}" }));
  await sendByButton(page, `Geht nicht ${look} ${tag}`);
  await message(page, `Geht nicht ${look} ${tag}`).locator(".failure").waitFor();
  await page.locator(".toast").first().waitFor();
  await check(page, `${look}-failed`);
  await page.unroute("**/api/nachrichten");
  await message(page, `Geht nicht ${look} ${tag}`).locator(".failure button").last().click();

  await page.getByRole("button", { name: /^(Abbrechen|Cancel)$/ }).click();
  await page.getByRole("dialog").waitFor();
  await check(page, `${look}-dialog`);
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });

  await page.goto(new URL("?user=patient-1&consultation=no-such", base).href);
  await page.getByText(/gibt es nicht|does not exist/).first().waitFor();
  await check(page, `${look}-gone`);

  await page.goto(new URL("?user=patient-1&consultation=", base).href);
  await page.getByRole("textbox").fill(`Knie ${look} ${tag}`);
  await page.getByRole("button", { name: /^(Anfragen|Request)$/ }).click();
  await page.locator(".closed").waitFor();
  await check(page, `${look}-closed`);
  await page.context().close();

  const other = await open("student-2", options, { wait: false });
  await other.getByText(`Knie ${look} ${tag}`).waitFor();
  await check(other, `${look}-requests`);
  await other.context().close();
}

await run(
  "access",
  [
    ...looks.map(([look, options]) => [`axe has nothing to say: ${look}`, () => views(look, options)]),
    ["the keyboard is enough", async () => {
      const page = await open("patient-1", { ...wideGerman });
      await composer(page).focus();
      await page.keyboard.type(`Mit Tasten ${tag}`);
      await page.keyboard.press("Enter");
      await settled(page);
      assert.equal(await page.evaluate(() => document.activeElement.tagName), "TEXTAREA", "the composer keeps the focus");
      await page.keyboard.press("Shift+Tab"); // from the composer back to the newest message's tools
      await page.keyboard.press("Enter");
      await page.getByRole("dialog").waitFor();
      await page.keyboard.press("Escape");
      const back = await page.evaluate(() => document.activeElement.textContent);
      assert.equal(back, "Löschen", "the dialog gives the focus back");
      await page.context().close();
    }],
    ["screen readers follow new messages only", async () => {
      const page = await open("patient-1", { ...wideGerman });
      const log = page.getByRole("log");
      assert.equal(await log.getByText(tag).count(), 0, "history is not in the log");
      await send(student, `Neu für alle ${tag}`);
      await log.getByText(`Neu für alle ${tag}`).waitFor();
      assert.equal(await log.getAttribute("aria-live"), "polite");
      assert.ok(await page.getByRole("textbox", { name: de }).count());
      await setVisible(page, true);
      await bubble(page, `Neu für alle ${tag}`).waitFor();
      await page.context().close();
    }],
    ["no request to another host, nothing in the console", async () => assert.deepEqual(complaints, [])],
  ],
  () => browser.close(),
);
