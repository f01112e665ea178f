/**
 * The official pusher-js against an application on a Pusher service that is not in its own process: private or encrypted
 * channel, and presence.
 */
import assert from "node:assert/strict";
import Pusher from "pusher-js";
import { base, login, run } from "./lib.mjs";

const patient = await login("patient-1");
const student = await login("student-1");
const { transport } = await (await patient("api/beratungen/demo")).json();
assert.equal(transport.driver, "pusher");

const clients = [];

function connect(as) {
  const client = new Pusher(transport.key, {
    cluster: transport.cluster ?? "self",
    wsHost: transport.wsHost,
    wsPort: transport.wsPort,
    forceTLS: transport.forceTLS,
    enabledTransports: ["ws"],
    channelAuthorization: {
      customHandler: async ({ socketId, channelName }, callback) => {
        const body = new URLSearchParams({ socket_id: socketId, channel_name: channelName });
        const res = await as(transport.authEndpoint, { method: "POST", body });
        if (res.status !== 200) return callback(new Error(`status ${res.status}`), null);
        callback(null, await res.json());
      },
    },
  });
  clients.push(client);
  return client;
}

const next = (emitter, event) => new Promise((resolve) => emitter.bind(event, resolve));

async function send(as, content) {
  const res = await as("api/nachrichten", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ consultationId: "demo", content }),
  });
  assert.equal(res.status, 201);
  return res.json();
}

const thin = process.env.MURPH_PRIVACY === "thin";
const canary = process.env.MURPH_CANARY ?? "canary";

await run(
  "hosted",
  [
    [
      `a message arrives over ${transport.channel}`,
      async () => {
        const channel = connect(patient).subscribe(transport.channel);
        await next(channel, "pusher:subscription_succeeded");
        for (const content of [canary, "Grüße 🙂", "ü".repeat(5000)]) {
          const arrived = next(channel, "new-message");
          const message = await send(student, content);
          const event = await arrived;
          channel.unbind("new-message");
          if (thin || content.length === 5000) {
            const { consultationId, id, seq, rev } = message;
            assert.deepEqual(event, { consultationId, id, seq, rev, thin: true });
          } else {
            assert.deepEqual(event, message);
          }
        }
      },
    ],
    [
      "presence shows who is here",
      async () => {
        const first = connect(patient).subscribe(transport.presenceChannel);
        await next(first, "pusher:subscription_succeeded");
        const joined = next(first, "pusher:member_added");
        await next(connect(student).subscribe(transport.presenceChannel), "pusher:subscription_succeeded");
        const member = await joined;
        assert.equal(member.id, "student-1");
        assert.equal(member.info?.firstName, process.env.MURPH_PRIVACY === "full" ? "Stefan" : undefined);
        assert.equal(first.members.count, 2);
      },
    ],
    [
      "a stranger is refused",
      async () => {
        const stranger = await login("student-2");
        const error = await next(connect(stranger).subscribe(transport.channel), "pusher:subscription_error");
        assert.ok(error);
      },
    ],
  ],
  async () => clients.forEach((client) => client.disconnect()),
);
assert.ok(base);
