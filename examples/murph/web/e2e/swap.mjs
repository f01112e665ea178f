/** The built page over whichever transport the server has: two people write to each other, each message once. */
import assert from "node:assert/strict";
import { chromium } from "playwright-core";
import { base, key, run } from "./lib.mjs";

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-gpu"],
});

async function open(user) {
  const page = await (await browser.newContext({ locale: "de-DE" })).newPage();
  page.setDefaultTimeout(30_000);
  await page.goto(new URL(`?user=${user}`, base).href);
  await composer(page).waitFor();
  return page;
}

const composer = (page) => page.getByRole("textbox", { name: "Ihre Nachricht" });
const bubble = (page, text) => page.locator(".message .content").getByText(text, { exact: true });

async function write(page, text) {
  await composer(page).fill(text);
  await composer(page).press("Enter");
}

async function seenOnce(page, text) {
  await bubble(page, text).waitFor();
  assert.equal(await bubble(page, text).count(), 1, `"${text}" is there once`);
}

const tag = key().slice(0, 8);
const patient = await open("patient-1");
const student = await open("student-1");

await run(
  "swap",
  [
    [
      "two people write to each other, without reloading",
      async () => {
        for (const [from, to, text] of [[patient, student, "Guten Tag"], [student, patient, "Wo genau?"], [patient, student, "Hier."]]) {
          await write(from, `${text} ${tag}`);
          await seenOnce(from, `${text} ${tag}`);
          await seenOnce(to, `${text} ${tag}`);
        }
      },
    ],
  ],
  () => browser.close(),
);
