/** The page when the network, the server or a single answer fails: on return nothing is missing, nothing is there twice. */
import assert from "node:assert/strict";
import { Cable } from "./cable.mjs";
import { base, control, key, login, pause, reassign, run, send } from "./lib.mjs";
import {
  browser, bubble, complaints, composer, connected, english, german, launchWithBackForwardCache, message, open, seenOnce,
  setVisible, settled, texts, until, write,
} from "./page.mjs";

const tag = key().slice(0, 8);
const cable = await Cable.to(base);
/** The student's messages while nobody of these is looking: through the API, as from another device. */
const student = await login("student-1");
const patient = await open("patient-1", german, { at: cable.url });
const stopFor = Number(process.env.MURPH_OUTAGE_MS ?? 20_000);

const json = { "Content-Type": "application/json" };

async function say(text) {
  const res = await send(student, text);
  assert.equal(res.status, 201);
  return res.json();
}

/** Two messages, one edited, one deleted, one new. It returns what has to be on the screen of whoever missed all this. */
async function muchHappens(name) {
  const edited = await say(`${name} 1 ${tag}`);
  const deleted = await say(`${name} 2 ${tag}`);
  await say(`${name} 3 ${tag}`);
  const body = JSON.stringify({ content: `${name} 1, bearbeitet ${tag}` });
  assert.equal((await student(`api/nachrichten/${edited.id}`, { method: "PATCH", headers: json, body })).status, 200);
  assert.equal((await student(`api/nachrichten/${deleted.id}`, { method: "DELETE" })).status, 200);
  return [`${name} 1, bearbeitet ${tag}`, "Nachricht gelöscht", `${name} 3 ${tag}`];
}

/** Waits until the end of the page is this, once and in this order, in the same document as before. */
async function endsWith(expected) {
  const last = () => patient.locator(".message .content").allTextContents().then((all) => all.slice(-expected.length));
  await until(`the page ends with ${expected}`, async () => JSON.stringify(await last()) === JSON.stringify(expected));
  const tagged = await texts(patient, tag);
  assert.deepEqual(tagged, [...new Set(tagged)], "nothing is there twice");
  assert.equal(await patient.evaluate(() => window.mark), "not reloaded");
}

await patient.evaluate(() => (window.mark = "not reloaded"));

await run(
  "outage",
  [
    ["the cable is cut", async () => {
      cable.cut();
      await patient.locator('.connection[data-state="interrupted"], .connection[data-state="offline"]').waitFor();
      const missed = await muchHappens("Kabel");
      cable.mend();
      await endsWith(missed);
      await connected(patient);
    }],
    ["the browser is offline", async () => {
      await patient.context().setOffline(true);
      const missed = await muchHappens("Offline");
      await write(patient, `Geschrieben ohne Netz ${tag}`);
      await pause(1_500);
      await patient.context().setOffline(false);
      await endsWith([...missed, `Geschrieben ohne Netz ${tag}`]);
      await settled(patient);
      await connected(patient);
    }],
    ["the socket is silently dead, and the page is looked at again", async () => {
      cable.deaden();
      await setVisible(patient, false);
      const missed = await muchHappens("Tot");
      await setVisible(patient, true);
      await endsWith(missed);
      await connected(patient);
      await say(`Danach lebt es wieder. ${tag}`);
      await seenOnce(patient, `Danach lebt es wieder. ${tag}`);
    }],
    ["the socket is silently dead, and nobody notices but the page", async () => {
      cable.deaden();
      await endsWith(await muchHappens("Still"));
      await connected(patient);
    }],
    ["the tab is frozen, as browsers do with hidden ones, and shown", async () => {
      const cdp = await patient.context().newCDPSession(patient);
      await setVisible(patient, false);
      await cdp.send("Page.setWebLifecycleState", { state: "frozen" });
      const missed = await muchHappens("Verborgen");
      await pause(500);
      await cdp.send("Page.setWebLifecycleState", { state: "active" });
      await setVisible(patient, true);
      await endsWith(missed);
    }],
    ["the page comes back out of the back-forward cache", async () => {
      const other = await launchWithBackForwardCache();
      const page = await open("patient-1", german, { from: other });
      await page.evaluate(() => addEventListener("pageshow", (e) => (window.persisted = e.persisted)));
      await page.goto(new URL("favicon.svg", base).href);
      const missed = await muchHappens("Zurück");
      // Playwright's own way back waits for a load, which a page out of the cache does not have.
      const cdp = await page.context().newCDPSession(page);
      const { currentIndex, entries } = await cdp.send("Page.getNavigationHistory");
      await cdp.send("Page.navigateToHistoryEntry", { entryId: entries[currentIndex - 1].id });
      await until("it is the same document as before", () => page.evaluate(() => window.persisted).catch(() => false));
      for (const text of [missed[0], missed[2]]) await seenOnce(page, text);
      assert.deepEqual((await texts(page)).slice(-3), missed);
      await connected(page);
      await say(`Nach dem Zurück ${tag}`);
      await seenOnce(page, `Nach dem Zurück ${tag}`);
      await other.close();
    }],
    ["a message is refused with 500 three times, then accepted", async () => {
      let failures = 0;
      const ids = new Set();
      await patient.route("**/api/nachrichten", (route) => {
        ids.add(route.request().postDataJSON().clientMessageId);
        return failures++ < 3 ? route.fulfill({ status: 500, body: "" }) : route.continue();
      });
      await write(patient, `Dreimal 500 ${tag}`);
      await message(patient, `Dreimal 500 ${tag}`).waitFor();
      await settled(patient);
      await patient.unroute("**/api/nachrichten");
      assert.equal(failures, 4);
      assert.equal(ids.size, 1, "all attempts have one key");
      await stored(`Dreimal 500 ${tag}`);
    }],
    ["the answer is lost after the server has stored the message", async () => {
      let lost = 0;
      await patient.route("**/api/nachrichten", async (route) => {
        if (lost++ > 0) return route.continue();
        await route.fetch();
        await route.abort("connectionreset");
      });
      await write(patient, `Antwort verloren ${tag}`);
      await settled(patient);
      await patient.unroute("**/api/nachrichten");
      await stored(`Antwort verloren ${tag}`);
    }],
    [`the server is stopped for ${stopFor / 1000} s`, async () => {
      await control("/stop");
      await patient.locator('.connection[data-state="interrupted"], .connection[data-state="offline"]').waitFor();
      await write(patient, `Geschrieben ohne Server ${tag}`);
      await message(patient, `Geschrieben ohne Server ${tag}`).waitFor();
      await pause(stopFor);
      await control("/start");
      const missed = await say(`Der Server ist wieder da. ${tag}`);
      await seenOnce(patient, missed.content);
      await settled(patient);
      await stored(`Geschrieben ohne Server ${tag}`);
      await connected(patient);
    }],
    ["the authorisation of the channel answers 500 once", async () => {
      let asked = 0;
      const other = await open("student-1", english, { wait: false, query: "&consultation=" });
      await other.route("**/api/pusher/auth", (route) =>
        asked++ === 0 ? route.fulfill({ status: 500, body: "" }) : route.continue(),
      );
      await other.getByRole("navigation").getByRole("button", { name: /Paula/ }).click();
      await connected(other);
      // With the subscription it catches up once; what comes after that it must learn from events.
      const polls = [];
      let quietSince = Date.now();
      other.on("request", (r) => {
        if (!r.url().includes("since=")) return;
        polls.push(r.url());
        quietSince = Date.now();
      });
      await until("it was asked again, and has caught up", () => asked >= 3 && Date.now() - quietSince > 2_000);
      polls.length = 0;
      await write(patient, `Über den Kanal ${tag}`);
      await seenOnce(other, `Über den Kanal ${tag}`);
      assert.deepEqual(polls, [], "an event brought it");
      await other.context().close();
    }],
    ["a student is replaced in mid-chat: told, and cut off; the new one sees the history", async () => {
      const former = await open("student-1", english, { at: cable.url });
      const frames = [];
      await former.reload();
      former.on("websocket", (ws) => ws.on("framereceived", ({ payload }) => frames.push(String(payload))));
      await former.reload();
      await connected(former);
      await write(patient, `Noch an den alten ${tag}`);
      await seenOnce(former, `Noch an den alten ${tag}`);
      await reassign("student-2");
      await former.getByText("You are no longer part of this consultation and can no longer read it.").waitFor();
      assert.equal(await former.locator(".message").count(), 0, "nothing of it stays on the screen");
      await write(patient, `Nur an die neue ${tag}`);
      const successor = await open("student-2", english);
      await seenOnce(successor, `Nur an die neue ${tag}`);
      await seenOnce(successor, `Noch an den alten ${tag}`);
      await patient.getByRole("heading", { name: "Sofia Lenz" }).waitFor();
      assert.equal(await composer(former).count(), 0);
      await write(successor, `Hello, I have taken over. ${tag}`);
      await seenOnce(patient, `Hello, I have taken over. ${tag}`);
      assert.ok(frames.some((f) => f.includes(`Noch an den alten ${tag}`)), "the frames were watched");
      assert.ok(!frames.some((f) => f.includes(`Nur an die neue ${tag}`) || f.includes("taken over")), "no frame reached the former");
    }],
    ["no request to another host, nothing in the console", async () => assert.deepEqual(complaints, [])],
  ],
  async () => {
    cable.close();
    await browser.close();
  },
);

/** It is in the store once, and on the page once. */
async function stored(text) {
  const { messages } = await (await student("api/beratungen/demo?limit=200")).json();
  assert.equal(messages.filter((m) => m.content === text).length, 1, `"${text}" is stored once`);
  await seenOnce(patient, text);
  assert.equal(await bubble(patient, text).count(), 1);
}
