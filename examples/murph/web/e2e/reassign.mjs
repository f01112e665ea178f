/**
 * Another student takes over while people write, over any transport: pages move to the new channels, and a subscriber
 * that stays on the old one gets nothing more.
 */
import assert from "node:assert/strict";
import { base, key, login, pause, reassign, run, send } from "./lib.mjs";
import { Listener } from "./listener.mjs";
import { browser, complaints, connected, english, german, open, setVisible, settled, shoot, texts, until, write } from "./page.mjs";

const tag = key().slice(0, 8);
const name = process.env.MURPH_TRANSPORT ?? "websocket";
const people = Object.fromEntries(
  await Promise.all(["patient-1", "student-1", "student-2"].map(async (user) => [user, await login(user)])),
);
const ask = async (user) => (await people[user]("api/beratungen/demo")).json();
const { transport } = await ask("student-1");

// Pages keep only the rows around the screen in the document, so these screens are long.
const tall = (look) => ({ ...look, viewport: { width: 900, height: 6_000 } });
const patient = await recorded("patient-1", tall(german));
const former = await recorded("student-1", tall(english));
const successor = await open("student-2", tall(english), { wait: false });
await neverLeave(former.page);
for (const { page } of [patient, former]) {
  await page.reload();
  await connected(page);
}
for (const page of [patient.page, former.page, successor]) await page.evaluate(() => (window.mark = "not reloaded"));

/** Opens a page that records what its sockets receive. */
async function recorded(user, look) {
  const page = await open(user, look);
  const frames = [];
  page.on("websocket", (ws) => ws.on("framereceived", ({ payload }) => frames.push(JSON.parse(payload))));
  return { page, frames };
}

/** Has a page neither unsubscribe nor close a socket from its next load on. */
function neverLeave(page) {
  return page.addInitScript(() => {
    const send = WebSocket.prototype.send;
    WebSocket.prototype.send = function (data) {
      if (!String(data).includes("pusher:unsubscribe")) send.call(this, data);
    };
    WebSocket.prototype.close = () => undefined;
  });
}

/** Records each state of the connection that the page shows. */
const watchStates = (page) =>
  page.evaluate(() => {
    window.states = new Set();
    const look = () => window.states.add(document.querySelector(".connection")?.dataset.state ?? "none");
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true });
  });

/** All messages of this run, in order. */
async function stored(user) {
  const all = [];
  for (let before = ""; ; ) {
    const page = await (await people[user](`api/beratungen/demo?limit=200${before}`)).json();
    all.unshift(...page.messages);
    if (!page.hasMore) return all.filter((m) => m.content.includes(tag));
    before = `&before=${page.messages[0].seq}`;
  }
}

/** Has all people write at the same time, round after round, as far as the server takes it, until the result is called. */
function everybodyWrites() {
  let going = true;
  const through = async (user, text) => {
    const { status } = await send(people[user], text);
    assert.ok(status === 201 || status === 403 || status === 404, `${user}: ${status}`);
  };
  const rounds = async () => {
    for (let n = 0; going; n++) {
      await Promise.all([
        write(patient.page, `Seite ${n} ${tag}`),
        ...Object.keys(people).map((user) => through(user, `${user} ${n} ${tag}`)),
      ]);
    }
    await settled(patient.page);
  };
  const written = rounds();
  written.catch(() => undefined); // the caller of stop gets it
  return async () => {
    going = false;
    await written;
  };
}

/** Waits until the page ends with everything that is stored, at least the last n messages, each once and in order. */
async function complete(page, user, n) {
  let all = [];
  let shown = [];
  try {
    await until("the page is complete", async () => {
      all = (await stored(user)).map((m) => m.content);
      shown = await texts(page, tag);
      return shown.length >= n && JSON.stringify(shown) === JSON.stringify(all.slice(-shown.length));
    });
  } catch (err) {
    assert.deepEqual(shown, all.slice(-Math.max(n, shown.length)), `${user}: ${err}`);
  }
  assert.equal(await page.evaluate(() => window.mark), "not reloaded");
}

const isOf = (channels) => (frame) => channels.includes(frame.channel) && !frame.event.startsWith("pusher");
/** The events on the channels of the first audience that tell of more than the end. */
function heard(frames, listener) {
  const events = frames.filter(isOf([transport.channel, transport.presenceChannel])).map((f) => listener.open(f));
  return events.filter((e) => e.event !== "resync-required");
}

let listener;
let change; // the rev of the reassignment

/** Those of the events that are from after the change, or may be. */
const late = (events) =>
  events.filter(({ event, data }) => !["resync-required", "client-typing"].includes(event) && !((data.rev ?? data.seq) < change));

await run(
  `reassign over ${name}`,
  [
    ["the page and a second client of the first student hear what is written", async () => {
      listener = await Listener.join(people["student-1"], transport, base);
      await write(patient.page, `Noch an Stefan ${tag}`);
      await complete(former.page, "student-1", 1);
      await listener.until((events) => events.some((e) => e.event === "new-message"));
      await until("the page has the event", () => heard(former.frames, listener).length > 0);
      await watchStates(patient.page);
    }],
    ["another student takes over while people write: their page and the patient's have everything, once, in order", async () => {
      const stop = everybodyWrites();
      await until("they write", async () => (await stored("patient-1")).length > 6);
      await reassign("student-2");
      await setVisible(successor, true); // the list looks now and not in ten seconds
      await connected(successor);
      const seen = (await stored("patient-1")).length;
      await until("they go on", async () => (await stored("patient-1")).length > seen + 4);
      await stop();
      const all = await stored("patient-1");
      const at = all.findIndex((m, i) => i > 0 && m.rev !== all[i - 1].rev + 1);
      change = all[at].rev - 1;
      assert.ok(at > 0 && all.slice(at + 1).every((m, i) => m.rev === change + 2 + i), "one change among the messages");
      assert.ok(all.slice(at).every((m) => m.senderId !== "student-1"), "the first student writes nothing more");
      assert.ok(all.slice(at).some((m) => m.senderId === "student-2"), "the second student writes");
      await complete(patient.page, "patient-1", all.length);
      await complete(successor, "student-2", all.length - at);
      await patient.page.getByRole("heading", { name: "Sofia Lenz" }).waitFor();
    }],
    ["the patient saw no interruption, and both see each other on the new channel", async () => {
      await patient.page.locator('.presence[data-here="true"]').waitFor();
      await successor.locator('.presence[data-here="true"]').waitFor();
      assert.deepEqual(await patient.page.evaluate(() => [...window.states]), ["connected"]);
      const box = successor.getByRole("textbox", { name: "Your message" });
      await box.pressSequentially("I am", { delay: 20 });
      await patient.page.getByText("Sofia schreibt …").waitFor();
      await box.fill("");
    }],
    ["the new channel brings what is written now", async () => {
      const { channel } = (await ask("patient-1")).transport;
      assert.notEqual(channel, transport.channel);
      const arrived = () => patient.frames.filter((f) => f.channel === channel && f.event === "new-message").length;
      const before = arrived();
      assert.equal((await send(people["student-2"], `Über den neuen Kanal ${tag}`)).status, 201);
      await until("the patient's page has the event", () => arrived() > before);
      await complete(patient.page, "patient-1", 1);
      await write(patient.page, `Antwort über den neuen Kanal ${tag}`);
      await complete(successor, "student-2", 1);
    }],
    ["the first student's page says so and shows nothing", async () => {
      await former.page.getByText("You are no longer part of this consultation and can no longer read it.").waitFor();
      assert.equal(await former.page.locator(".message").count(), 0);
      assert.ok(!(await former.page.content()).includes(tag), "no text is left in the document");
    }],
    ["no frame reached those who stayed on the old channels", async () => {
      // Its connection is alive: what had been sent to it would be here by now.
      await listener.ping();
      for (const events of [listener.events.filter((e) => e.event !== "resync-required"), heard(former.frames, listener)]) {
        assert.ok(events.some((e) => e.data.content?.includes(tag)), "the frames were watched");
        assert.deepEqual(late(events), [], "nothing from after the change");
      }
      assert.deepEqual(await listener.refusals(people["student-1"], (await ask("patient-1")).transport), [403, 403]);
    }],
    ["after many changes of the student the patient's page is complete, on the last channel", async () => {
      const stop = everybodyWrites();
      for (const student of ["student-1", "student-2", "student-1", "student-2", "student-1"]) {
        await reassign(student);
        await pause(200);
      }
      await stop();
      await complete(patient.page, "patient-1", 20);
      assert.deepEqual(await patient.page.evaluate(() => [...window.states]), ["connected"]);
      await listener.ping();
      assert.deepEqual(late(listener.events), [], "the old channel is dead for the former student also when they are back");
      await former.page.setViewportSize(english.viewport);
      await setVisible(former.page, true);
      await connected(former.page);
    }],
    ["pictures", async () => {
      for (const [page, who] of [[patient.page, "patient"], [former.page, "former"], [successor, "successor"]]) {
        await page.setViewportSize({ width: 1280, height: 800 });
        await shoot(page, `reassign-${name}-${who}`);
      }
    }],
    ["nothing in the console", async () => assert.deepEqual(complaints.filter((c) => !/ (request|socket) to /.test(c)), [])],
  ],
  async () => {
    listener?.close();
    await browser.close();
  },
);
