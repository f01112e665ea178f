/** The built page in headless Chromium, as two people see it who write to each other. */
import assert from "node:assert/strict";
import { key, login, run } from "./lib.mjs";
import {
  browser, bubble, complaints, composer, connected, english, german, message, open, seenOnce, setVisible, settled, texts,
  until, write,
} from "./page.mjs";

const tag = key().slice(0, 8);
const patient = await open("patient-1", german);
const student = await open("student-1", english);

await run(
  "chat",
  [
    ["each sees the other's message without reloading, once", async () => {
      await write(patient, `Guten Tag! Mein Rücken schmerzt seit Montag. ${tag}`);
      await seenOnce(student, `Guten Tag! Mein Rücken schmerzt seit Montag. ${tag}`);
      await write(student, `Hello, I am sorry to hear that. Where exactly? ${tag}`);
      await seenOnce(patient, `Hello, I am sorry to hear that. Where exactly? ${tag}`);
      for (const page of [patient, student]) assert.equal((await texts(page, tag)).length, 2);
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
      await write(patient, text);
      await seenOnce(student, text);
      await patient.locator(".message.sending").waitFor({ state: "detached" });
      await seenOnce(patient, text);
      await patient.unroute("**/api/nachrichten");
    }],
    ["what looks like HTML or a script stays text", async () => {
      const text = `<img src=x onerror="document.title='hacked'"> <script>alert(1)</script> javascript:alert(1) ${tag}`;
      await write(student, text);
      await seenOnce(patient, text);
      assert.equal(await patient.locator(".message img, .message script, .message a").count(), 0);
      assert.match(await patient.title(), /^(\(\d+\) )?Murph$/);
    }],
    ["both see the same order", async () => {
      for (const n of [1, 2, 3]) await Promise.all([write(patient, `P${n} ${tag}`), write(student, `S${n} ${tag}`)]);
      for (const n of [1, 2, 3]) {
        await seenOnce(student, `P${n} ${tag}`);
        await seenOnce(patient, `S${n} ${tag}`);
      }
      for (const page of [patient, student]) await page.locator(".message.sending").waitFor({ state: "detached" });
      assert.deepEqual(await texts(patient, tag), await texts(student, tag));
    }],
    ["after a reload the history is there, each message once", async () => {
      const before = await texts(patient, tag);
      await patient.reload();
      await connected(patient);
      await seenOnce(patient, before[0]);
      assert.deepEqual(await texts(patient, tag), before);
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
    ["on a narrow screen the list is one step back", async () => {
      await student.getByRole("button", { name: "Back to the consultations" }).click();
      const entry = student.getByRole("navigation").getByRole("button", { name: /Paula/ });
      await entry.waitFor();
      await entry.click();
      await connected(student);
    }],
    ["the list stays where the reader scrolled to, and leads back", async () => {
      for (let n = 0; n < 12; n++) await write(student, `Zeile ${n} ${tag}`);
      await seenOnce(patient, `Zeile 11 ${tag}`);
      await patient.locator(".scroller").evaluate((el) => (el.scrollTop = 0));
      await patient.waitForFunction(() => document.querySelector(".scroller").scrollTop === 0);
      await write(student, `Ganz unten ${tag}`);
      const toEnd = patient.getByRole("button", { name: "1 neue Nachricht" });
      await toEnd.click();
      await bubble(patient, `Ganz unten ${tag}`).waitFor();
      await patient.waitForFunction(() => {
        const el = document.querySelector(".scroller");
        return el.scrollHeight - el.scrollTop - el.clientHeight < 2;
      });
    }],
    ["each sees whether the other is here and when they are writing", async () => {
      await patient.locator('.presence[data-here="true"]').getByText("online", { exact: true }).waitFor();
      await composer(student).pressSequentially("I am", { delay: 20 });
      await patient.getByText("Stefan schreibt …").waitFor();
      await write(student, `I am here. ${tag}`);
      await seenOnce(patient, `I am here. ${tag}`);
      await patient.getByText("Stefan schreibt …").waitFor({ state: "detached" });
      const other = await student.context().newPage();
      await student.goto("about:blank");
      await patient.getByText("nicht online").waitFor();
      await other.close();
      await student.goBack();
      await connected(student);
      await patient.locator('.presence[data-here="true"]').waitFor();
    }],
    ["a message counts as read when it was in sight for half a second, and not before", async () => {
      await setVisible(student, false);
      const text = `Haben Sie das gelesen? ${tag}`;
      await write(patient, text);
      await seenOnce(student, text);
      const delivery = message(patient, text).locator(".delivery");
      await until("it is delivered", async () => (await delivery.getAttribute("data-state")) === "delivered");
      await student.waitForFunction(() => document.title === "(1) Murph");
      await setVisible(student, true);
      await until("it is read", async () => (await delivery.getAttribute("data-state")) === "read");
      await student.waitForFunction(() => document.title === "Murph");
    }],
    ["one report a second is enough for many messages", async () => {
      const reports = [];
      student.on("request", (r) => r.url().endsWith("/gelesen") && reports.push(r.postDataJSON().seq));
      const begin = performance.now();
      for (let n = 0; n < 8; n++) await write(patient, `Viele ${n} ${tag}`);
      const last = message(patient, `Viele 7 ${tag}`).locator('.delivery[data-state="read"]');
      await last.waitFor();
      // How many there may be, and not when each was made: the browser tells that late when the machine is busy.
      const seconds = (performance.now() - begin) / 1000;
      assert.ok(reports.length <= seconds + 1, `${reports.length} reports in ${seconds} s`);
      for (const [i, seq] of reports.slice(1).entries()) assert.ok(seq > reports[i], "each says more");
    }],
    ["the list counts what is not read in other consultations", async () => {
      const as = await login("student-1");
      await student.getByRole("button", { name: "Back to the consultations" }).click();
      await student.getByRole("navigation").waitFor();
      await write(patient, `Sind Sie noch da? ${tag}`);
      await student.locator(".unread").getByText("1 unread message").waitFor();
      const { consultations } = await (await as("api/beratungen")).json();
      assert.equal(consultations.find((c) => c.id === "demo").unread, 1);
      await student.getByRole("navigation").getByRole("button", { name: /Paula/ }).click();
      await seenOnce(student, `Sind Sie noch da? ${tag}`);
      await until("it is read", async () => (await student.title()) === "Murph");
    }],
    ["one's own message is edited, on both sides, without a second one", async () => {
      const text = `Ich habe Schmertzen. ${tag}`;
      await write(patient, text);
      await seenOnce(student, text);
      await settled(patient);
      await composer(patient).press("ArrowUp");
      const editor = patient.getByRole("textbox", { name: "Nachricht bearbeiten" });
      await editor.waitFor();
      assert.ok(await editor.evaluate((el) => el === document.activeElement), "the editor has the focus");
      await editor.fill(`Ich habe Schmerzen. ${tag}`);
      await editor.press("Enter");
      await seenOnce(student, `Ich habe Schmerzen. ${tag}`);
      assert.equal(await bubble(student, text).count(), 0);
      await message(student, `Ich habe Schmerzen. ${tag}`).getByText("edited").waitFor();
      await composer(patient).waitFor();
      assert.ok(await composer(patient).evaluate((el) => el === document.activeElement), "the composer has the focus again");
    }],
    ["an edit that another one has overtaken is not lost and overwrites only on purpose", async () => {
      const text = `Fassung 1 ${tag}`;
      await write(patient, text);
      await settled(patient);
      await message(patient, text).hover();
      await message(patient, text).getByRole("button", { name: "Bearbeiten" }).click();
      const as = await login("patient-1");
      const { messages } = await (await as("api/beratungen/demo")).json();
      const { id } = messages.find((m) => m.content === text);
      const body = JSON.stringify({ content: `Fassung 2 ${tag}` });
      const res = await as(`api/nachrichten/${id}`, { method: "PATCH", headers: { "Content-Type": "application/json" }, body });
      assert.equal(res.status, 200);
      const editor = patient.getByRole("textbox", { name: "Nachricht bearbeiten" });
      await editor.fill(`Fassung 3 ${tag}`);
      await editor.press("Enter");
      await patient.getByText("Diese Nachricht wurde inzwischen geändert.", { exact: false }).waitFor();
      assert.equal(await editor.inputValue(), `Fassung 3 ${tag}`);
      await editor.press("Enter");
      await seenOnce(student, `Fassung 3 ${tag}`);
    }],
    ["one's own message is deleted after a question, and its text is gone", async () => {
      const text = `Das war falsch. ${tag}`;
      await write(patient, text);
      await seenOnce(student, text);
      await settled(patient);
      await message(patient, text).hover();
      await message(patient, text).getByRole("button", { name: "Löschen" }).click();
      await patient.getByRole("dialog").getByRole("button", { name: "Löschen" }).click();
      for (const page of [patient, student]) await bubble(page, text).waitFor({ state: "detached" });
      await student.locator(".content.deleted").getByText("Message deleted").waitFor();
      assert.equal(await student.getByRole("button", { name: "Delete", exact: true }).count(), await student.locator(".message.own .tools").count());
    }],
    ["5,000 characters of umlauts and emoji arrive", async () => {
      const text = Array.from(`${tag} ${"äöüß🙂".repeat(1000)}`).slice(0, 5000).join("");
      await write(patient, text);
      await bubble(student, text).waitFor();
      assert.equal(Array.from(await bubble(student, text).textContent()).length, 5000);
      await composer(patient).fill(`${text}!`);
      await patient.getByText("1 Zeichen zu lang").waitFor();
      assert.ok(await patient.getByRole("button", { name: "Senden" }).isDisabled());
      await composer(patient).fill("");
    }],
    ["a draft and what is not sent yet survive a reload", async () => {
      await patient.route("**/api/nachrichten", (route) => route.abort("connectionreset"));
      await write(patient, `Noch nicht gesendet ${tag}`);
      await message(patient, `Noch nicht gesendet ${tag}`).waitFor();
      await composer(patient).fill(`Entwurf ${tag}`);
      await patient.reload();
      await connected(patient);
      assert.equal(await composer(patient).inputValue(), `Entwurf ${tag}`);
      await patient.locator(".message.sending").waitFor();
      await patient.unroute("**/api/nachrichten");
      await seenOnce(student, `Noch nicht gesendet ${tag}`);
      await settled(patient);
      await seenOnce(patient, `Noch nicht gesendet ${tag}`);
      await composer(patient).fill("");
    }],
    ["a new consultation is requested, accepted, and closed for writing until then and afterwards", async () => {
      await patient.getByLabel("Neue Beratung").fill(`Knie ${tag}`);
      await patient.getByRole("button", { name: "Anfragen" }).click();
      await patient.getByText("Sie können schreiben, sobald jemand die Anfrage angenommen hat.").waitFor();
      await student.getByRole("button", { name: "Back to the consultations" }).click();
      await student.getByRole("button", { name: `Accept: Knie ${tag}` }).click();
      await connected(student);
      await composer(patient).waitFor();
      await write(student, `How is your knee? ${tag}`);
      await seenOnce(patient, `How is your knee? ${tag}`);
      await student.getByRole("button", { name: "Complete" }).click();
      await student.getByRole("dialog").getByRole("button", { name: "Complete" }).click();
      await student.getByText("This consultation is completed. You can still read it.").waitFor();
      await patient.getByText("Diese Beratung ist abgeschlossen. Sie können sie weiter lesen.").waitFor();
      assert.equal(await composer(patient).count(), 0);
    }],
    ["a refused message stays on the screen, with its reason, and can be discarded", async () => {
      await patient.getByLabel("Neue Beratung").fill(`Schulter ${tag}`);
      await patient.getByRole("button", { name: "Anfragen" }).click();
      await patient.getByRole("button", { name: "Abbrechen" }).click();
      await patient.getByRole("dialog").getByRole("button", { name: "Abbrechen" }).click();
      await patient.getByText("Diese Beratung wurde abgebrochen. Sie können sie weiter lesen.").waitFor();
      await patient.getByRole("navigation").getByRole("button", { name: /Rückenschmerzen/ }).click();
      await connected(patient);
      const reply = { status: 403, contentType: "application/problem+json", body: '{"status":403,"code":"forbidden","error":"Das geht nicht."}' };
      await patient.route("**/api/nachrichten", (route) => route.fulfill(reply));
      await write(patient, `Abgelehnt ${tag}`);
      const failed = message(patient, `Abgelehnt ${tag}`);
      await failed.getByText("Das geht nicht.").waitFor();
      await patient.locator(".toast").getByText("Das geht nicht.").waitFor();
      await patient.unroute("**/api/nachrichten");
      await failed.getByRole("button", { name: "Verwerfen" }).click();
      await failed.waitFor({ state: "detached" });
    }],
    ["no request to another host, nothing in the console", async () => assert.deepEqual(complaints, [])],
  ],
  () => browser.close(),
);
