/** The official pusher-js against the server: who may subscribe, and what a subscriber gets. */
import assert from "node:assert/strict";
import Pusher from "pusher-js";
import { base, key, login, run, send } from "./lib.mjs";

const patient = await login("patient-1");
const student = await login("student-1");
const stranger = await login("student-2");

const opened = await patient("api/beratungen/demo");
assert.equal(opened.status, 200, "GET /api/beratungen/demo");
const { transport, consultation } = await opened.json();
assert.equal(transport.driver, "websocket", "these checks are for the server's own transport");

const clients = [];

/** Connects as somebody; asked gets the answer of the endpoint to each authorisation. */
function connect(as, asked = () => {}, grant = undefined) {
  const client = new Pusher(transport.key, {
    cluster: transport.cluster ?? "self",
    wsHost: transport.wsHost ?? base.hostname,
    wsPort: transport.wsPort ?? (Number(base.port) || 80),
    wssPort: transport.wssPort ?? (Number(base.port) || 443),
    ...(transport.wsPath && { wsPath: transport.wsPath }),
    forceTLS: transport.forceTLS ?? base.protocol === "https:",
    enabledTransports: ["ws", "wss"],
    channelAuthorization: {
      customHandler: async ({ socketId, channelName }, callback) => {
        if (grant) return callback(null, grant);
        const res = await authorize(as, socketId, channelName);
        asked(res.status);
        if (res.status !== 200) return callback(new Error(`status ${res.status}`), null);
        callback(null, await res.json());
      },
    },
  });
  clients.push(client);
  return client;
}

function authorize(as, socketId, channelName) {
  return as(transport.authEndpoint, { method: "POST", body: new URLSearchParams({ socket_id: socketId, channel_name: channelName }) });
}

function next(emitter, event) {
  return new Promise((resolve) => {
    const handler = (data) => {
      emitter.unbind(event, handler);
      resolve(data);
    };
    emitter.bind(event, handler);
  });
}

async function socketOf(client) {
  if (client.connection.state !== "connected") await next(client.connection, "connected");
  return client.connection.socket_id;
}

async function subscribed(client) {
  const channel = client.subscribe(transport.channel);
  const refused = next(channel, "pusher:subscription_error").then((e) => {
    throw new Error(`the subscription was refused: ${JSON.stringify(e)}`);
  });
  await Promise.race([next(channel, "pusher:subscription_succeeded"), refused]);
  return channel;
}

await run(
  "pusher-js",
  [
    ["the answer names the channel of the consultation", async () => {
      assert.equal(transport.channel, "private-consultation-demo");
      assert.match(transport.authEndpoint, /\/api\/pusher\/auth$/);
      assert.equal(consultation.status, "IN_PROGRESS");
    }],
    ["a participant subscribes and gets new-message exactly as the sender got it", async () => {
      const channel = await subscribed(connect(student));
      const event = next(channel, "new-message");
      const clientMessageId = key();
      const content = `Grüße 👋 <b>kein HTML</b> ${clientMessageId}`;
      const res = await send(patient, content, { clientMessageId });
      assert.equal(res.status, 201);
      const sent = await res.json();
      const got = await event;
      assert.deepEqual(got, sent);
      const { id, createdAt, seq, rev, ...rest } = got;
      assert.deepEqual(rest, {
        consultationId: "demo",
        senderId: "patient-1",
        content,
        sender: consultation.patient,
        clientMessageId,
      });
      assert.deepEqual(Object.keys(got.sender).filter((k) => k !== "image").sort(), ["firstName", "id", "lastName", "role"]);
      assert.equal(typeof id, "string");
      assert.match(createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3,9}Z$/);
      assert.ok(Number.isInteger(seq) && seq > 0 && rev === seq, `seq ${seq}, rev ${rev}`);
    }],
    ["a repeat with the same key is 200, the same message and no second event", async () => {
      const channel = await subscribed(connect(student));
      const seen = [];
      channel.bind("new-message", (m) => seen.push(m.content));
      const clientMessageId = key();
      const first = await send(patient, "einmal", { clientMessageId });
      const again = await send(patient, "einmal", { clientMessageId });
      assert.equal(first.status, 201);
      assert.equal(again.status, 200);
      assert.equal(again.headers.get("Idempotency-Replayed"), "true");
      assert.deepEqual(await again.json(), await first.json());
      const last = next(channel, "new-message");
      if (seen.length === 0) await last;
      const end = new Promise((resolve) => channel.bind("new-message", (m) => m.content === "Ende" && resolve()));
      await send(patient, "Ende");
      await end;
      assert.deepEqual(seen, ["einmal", "Ende"]);
    }],
    ["the sender's own connection is spared, by socketId", async () => {
      const own = connect(patient);
      const mine = await subscribed(own);
      const theirs = await subscribed(connect(student));
      const heard = [];
      mine.bind("new-message", (m) => heard.push(m.content));
      const arrived = next(theirs, "new-message");
      await send(patient, "nicht an mich", { socketId: await socketOf(own) });
      assert.equal((await arrived).content, "nicht an mich");
      const end = next(mine, "new-message");
      await send(student, "an beide");
      await end;
      assert.deepEqual(heard, ["an beide"]);
    }],
    ["a stranger is refused with 403", async () => {
      let status;
      const client = connect(stranger, (s) => (status = s));
      const channel = client.subscribe(transport.channel);
      const refused = next(channel, "pusher:subscription_error");
      const succeeded = next(channel, "pusher:subscription_succeeded").then(() => assert.fail("the stranger is subscribed"));
      await Promise.race([refused, succeeded]);
      assert.equal(status, 403);
    }],
    ["without a session it is 401", async () => {
      const anonymous = (path, init) => fetch(new URL(path, base), init);
      const socketId = await socketOf(connect(patient));
      assert.equal((await authorize(anonymous, socketId, transport.channel)).status, 401);
      assert.equal((await anonymous("api/beratungen/demo")).status, 401);
    }],
    ["a signature for one socket is refused on another", async () => {
      const one = await socketOf(connect(patient));
      const res = await authorize(patient, one, transport.channel);
      assert.equal(res.status, 200);
      const grant = await res.json();
      assert.match(grant.auth, /^[^:]+:[0-9a-f]{64}$/);
      const other = connect(patient, undefined, grant);
      const channel = other.subscribe(transport.channel);
      const succeeded = next(channel, "pusher:subscription_succeeded").then(() => assert.fail("the stolen signature was taken"));
      await Promise.race([
        next(channel, "pusher:subscription_error"),
        next(other.connection, "error"),
        next(other.connection, "disconnected"),
        succeeded,
      ]);
      assert.notEqual(await socketOf(other), one);
      assert.equal(channel.subscribed, false);
    }],
    ["only names that the server builds are signed", async () => {
      const socketId = await socketOf(connect(patient));
      for (const name of [
        "private-consultation-", "private-consultation-..", "private-consultation-demo/../x", ":user::{\"id\":\"student-1\"}",
        "private-other-demo", "presence-room:{\"user_id\":\"student-1\"}", `private-consultation-${"a".repeat(200)}`,
      ]) {
        const { status } = await authorize(patient, socketId, name);
        assert.ok(status === 400 || status === 403, `${name} gave ${status}`);
      }
    }],
  ],
  async () => clients.forEach((c) => c.disconnect()),
);
