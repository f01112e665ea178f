/** A consultation of 10,000 messages, which the Go test has put there: it opens at once and stays small. */
import assert from "node:assert/strict";
import { login, pause, run, send } from "./lib.mjs";
import { browser, bubble, complaints, german, open, seenOnce, until } from "./page.mjs";

const total = Number(process.env.MURPH_MESSAGES);
const gets = [];
const page = await open("patient-1", german, { wait: false, query: "&consultation=" });
page.on("request", (r) => r.method() === "GET" && /beratungen\/demo/.test(r.url()) && gets.push(new URL(r.url()).search));
const cdp = await page.context().newCDPSession(page);
await cdp.send("Performance.enable");

const scroller = page.locator(".scroller");
const first = () => page.locator(".message .content").first().textContent();
const rowCount = () => page.locator(".message").count();

const drawn = () => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));

async function heap() {
  await cdp.send("HeapProfiler.collectGarbage");
  const { metrics } = await cdp.send("Performance.getMetrics");
  return metrics.find((m) => m.name === "JSHeapUsedSize").value / 2 ** 20;
}

/** Where a message stands on the screen. */
const place = (text) => bubble(page, text).evaluate((el) => el.getBoundingClientRect().top);

await run(
  "history",
  [
    ["it opens in one page fetch, at its end", async () => {
      await page.getByRole("navigation").getByRole("button", { name: /Stefan/ }).click();
      await bubble(page, `Nachricht ${total}`).waitFor();
      assert.deepEqual(gets.filter((g) => !g.startsWith("?since")), [""]);
      const gap = await scroller.evaluate((el) => el.scrollHeight - el.scrollTop - el.clientHeight);
      assert.ok(gap < 2, `${gap} px above the end`);
    }],
    ["older messages are loaded on scrolling up, and what is read stays where it is", async () => {
      // Slow enough for the reader to have settled before the page comes.
      await page.route("**/api/beratungen/demo?before=*", async (route) => {
        await pause(400);
        await route.continue();
      });
      for (let turn = 0; turn < 6; turn++) {
        const before = gets.filter((g) => g.startsWith("?before")).length;
        await scroller.evaluate((el) => (el.scrollTop = Math.min(el.scrollTop, 380)));
        await drawn();
        const text = await page.evaluate(() => {
          const top = document.querySelector(".scroller").getBoundingClientRect().top;
          return [...document.querySelectorAll(".message .content")].find((el) => el.getBoundingClientRect().top > top + 40).textContent;
        });
        const at = await place(text);
        await until("a page was loaded", () => gets.filter((g) => g.startsWith("?before")).length > before);
        await page.locator(".older:not([disabled])").waitFor();
        await drawn();
        const moved = Math.abs((await place(text)) - at);
        assert.ok(moved < 2, `"${text}" jumped by ${moved} px`);
        assert.ok((await rowCount()) < 120, `${await rowCount()} messages in the document`);
      }
      await page.unroute("**/api/beratungen/demo?before=*");
    }],
    ["the messages are all there, in order, whichever are in the document", async () => {
      const seen = new Set();
      await scroller.evaluate((el) => (el.scrollTop = el.scrollHeight));
      await bubble(page, `Nachricht ${total}`).waitFor();
      await drawn();
      for (let y = 0; y < 12; y++) {
        for (const text of await page.locator(".message .content").allTextContents()) seen.add(Number(text.split(" ")[1]));
        await scroller.evaluate((el) => (el.scrollTop -= 700));
        await drawn();
      }
      const numbers = [...seen].sort((a, b) => a - b);
      assert.equal(numbers.at(-1), total);
      assert.deepEqual(numbers, Array.from({ length: numbers.length }, (_, i) => numbers[0] + i));
      assert.ok(numbers.length > 100, `${numbers.length} seen`);
    }],
    ["a thousand loaded messages stay small in document and memory", async () => {
      const small = await heap();
      while (Number((await first()).split(" ")[1]) > total - 1_000) {
        await page.locator(".older:not([disabled])").waitFor();
        const before = gets.length;
        await scroller.evaluate((el) => (el.scrollTop = 0));
        await until("a page was loaded", () => gets.length > before);
        await page.locator(".older:not([disabled])").waitFor();
      }
      assert.ok((await rowCount()) < 120, `${await rowCount()} messages in the document`);
      const large = await heap();
      console.log(`      heap ${small.toFixed(1)} MB, with 1,000 more messages ${large.toFixed(1)} MB`);
      assert.ok(large - small < 6, `${large - small} MB more`);
    }],
    ["a new message does not move the reader, and the button leads to it", async () => {
      const at = await scroller.evaluate((el) => el.scrollTop);
      assert.equal((await send(await login("student-1"), "Ganz neu")).status, 201);
      await page.getByRole("button", { name: "1 neue Nachricht" }).waitFor();
      assert.ok(Math.abs((await scroller.evaluate((el) => el.scrollTop)) - at) < 2);
      await page.getByRole("button", { name: "1 neue Nachricht" }).click();
      await seenOnce(page, "Ganz neu");
      await until("it is at the end", () => scroller.evaluate((el) => el.scrollHeight - el.scrollTop - el.clientHeight < 2));
    }],
    ["back at the end, the page lets go of what is far above", async () => {
      await until("the window is small again", async () => (await scroller.evaluate((el) => el.scrollHeight)) < 200 * 120);
      assert.ok(await page.locator(".older").count(), "and it can be loaded again");
    }],
    ["no request to another host, nothing in the console", async () => assert.deepEqual(complaints, [])],
  ],
  () => browser.close(),
);
