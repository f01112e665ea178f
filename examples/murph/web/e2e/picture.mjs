/** The picture of the page that the README shows: two people who are online and write to each other. */
import assert from "node:assert/strict";
import { run } from "./lib.mjs";
import { browser, complaints, german, message, open, seenOnce, setVisible, settled, shoot, write } from "./page.mjs";

const size = { ...german, viewport: { width: 1120, height: 630 } };
const patient = await open("patient-1", size);
const student = await open("student-1", size);

const conversation = [
  [patient, "Guten Tag! Mein Rücken schmerzt seit Montag."],
  [student, "Guten Tag, Frau Berger. Das tut mir leid. Wo genau tut es weh?"],
  [patient, "Unten links, wenn ich lange sitze."],
  [student, "Wird es besser, wenn Sie sich bewegen?"],
  [patient, "Ja, nach einem Spaziergang ist es fast weg."],
];

await run(
  "picture",
  [
    ["both see the conversation", async () => {
      for (const page of [patient, student]) await setVisible(page, true);
      for (const [page, text] of conversation) {
        await write(page, text);
        await settled(page);
        for (const reader of [patient, student]) await seenOnce(reader, text);
      }
    }],
    ["each is online, and has read the other's last message", async () => {
      await patient.locator('.presence[data-here="true"]').waitFor();
      await message(patient, conversation.at(-1)[1]).locator('.delivery[data-state="read"]').waitFor();
      await shoot(patient, "picture");
    }],
    ["no complaints", async () => assert.deepEqual(complaints, [])],
  ],
  () => browser.close(),
);
