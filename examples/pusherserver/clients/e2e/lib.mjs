/** What the scripts share: the server under test, the clients of each version, and ways to wait for them. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { after, describe, test as nodeTest } from "node:test";
import Server from "pusher";
import Pusher8 from "pusher-js";
import Pusher70 from "pusher-js-7.0";
import Pusher76 from "pusher-js-7.6";

/** The versions of pusher-js. 7.0 knows nothing of sign-in, watchlists and subscription counts yet. */
export const versions = [
  { name: "pusher-js 8.6.0", Pusher: Pusher8, users: true },
  { name: "pusher-js 7.6.0", Pusher: Pusher76, users: true },
  { name: "pusher-js 7.0.0", Pusher: Pusher70, users: false },
];

const app = { appId: "1", key: "app-key", secret: "app-secret" };
export const { key } = app;
const encryptionMasterKeyBase64 = Buffer.from("01234567890123456789012345678901").toString("base64");

const ends = [];

/** All tests of a script. Its end is that of the servers and clients. */
export function suite(name, f) {
  describe(name, () => {
    after(async () => {
      for (const end of ends.reverse()) await end();
    });
    f();
  });
}

/** A test that fails instead of waiting for ever. */
export const test = (name, ...rest) => {
  const f = rest.pop();
  assert.equal(typeof f, "function");
  nodeTest(name, { timeout: 40_000, ...rest[0] }, f);
};

/** Starts examples/pusherserver, whose path is in PUSHERSERVER, and returns where it listens and an SDK for it. */
export async function startServer(...flags) {
  const child = spawn(process.env.PUSHERSERVER, ["-addr", "127.0.0.1:0", ...flags], {
    env: { PUSHER_APP_ID: app.appId, PUSHER_KEY: app.key, PUSHER_SECRET: app.secret },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exit = once(child, "exit");
  ends.push(async () => {
    child.kill("SIGKILL");
    await exit;
  });
  const [line] = await once(createInterface({ input: child.stdout }), "line");
  const url = new URL(line.match(/http:\S+/)[0]);
  return { url, host: url.hostname, port: Number(url.port), sdk: sdkFor(url), child, exit };
}

export const sdkFor = (url) => new Server({ ...app, host: url.hostname, port: url.port, encryptionMasterKeyBase64 });

/** Makes a client of one version. auth answers authorisations; the default is what an application's backend does. */
export function client(version, server, { user, watchlist, auth, ...options } = {}) {
  const authorize = auth ?? ((socketId, channel) =>
    server.sdk.authorizeChannel(socketId, channel, channel.startsWith("presence-") ? member(user) : undefined));
  const handler = (socketId, channel, done) => {
    try {
      done(null, authorize(socketId, channel));
    } catch (err) {
      done(err, null);
    }
  };
  const pusher = new version.Pusher(key, {
    cluster: "self",
    wsHost: server.host,
    wsPort: server.port,
    wssPort: server.port,
    forceTLS: false,
    enabledTransports: ["ws"],
    ...(version.Pusher === Pusher70
      ? { authorizer: (channel) => ({ authorize: (socketId, done) => handler(socketId, channel.name, done) }) }
      : {
          channelAuthorization: { customHandler: ({ socketId, channelName }, done) => handler(socketId, channelName, done) },
          userAuthentication: {
            customHandler: ({ socketId }, done) => done(null, server.sdk.authenticateUser(socketId, { id: user, watchlist })),
          },
        }),
    ...options,
  });
  ends.push(() => pusher.disconnect());
  return pusher;
}

const member = (user) => ({ user_id: user, user_info: { name: `N${user}` } });

/** Waits for an event of a channel, a connection or a client. */
export function next(emitter, event) {
  return new Promise((resolve) => {
    const handler = (data, meta) => {
      emitter.unbind(event, handler);
      resolve(meta?.user_id === undefined ? data : { data, user: meta.user_id });
    };
    emitter.bind(event, handler);
  });
}

export async function connected(pusher) {
  if (pusher.connection.state !== "connected") await next(pusher.connection, "connected");
  return pusher.connection.socket_id;
}

/** Subscribes and waits for the acknowledgement. */
export async function subscribed(pusher, name) {
  const channel = pusher.subscribe(name);
  const refused = next(channel, "pusher:subscription_error").then((e) => {
    throw new Error(`${name} was refused: ${JSON.stringify(e)}`);
  });
  if (!channel.subscribed) await Promise.race([next(channel, "pusher:subscription_succeeded"), refused]);
  return channel;
}

/** Collects the events of a channel, without the protocol's own. */
export function collect(channel) {
  const events = [];
  channel.bind_global((event, data) => {
    if (!event.startsWith("pusher")) events.push([event, data]);
  });
  return events;
}

/**
 * Runs f and returns what arrived on a channel until then: an event of the server's is sent behind it. What a test says
 * does not arrive is looked for this way, and not by waiting.
 */
export async function during(server, channel, f) {
  const events = collect(channel);
  await f();
  const mark = `mark-${Math.random()}`;
  const arrived = next(channel, mark);
  await server.sdk.trigger(channel.name, mark, {});
  await arrived;
  return events.filter(([event]) => event !== mark);
}

/** An HTTP server on a free port. */
export async function listen(handler) {
  const server = createServer(handler);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  ends.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return new URL(`http://127.0.0.1:${server.address().port}`);
}

export async function bodyOf(req) {
  const chunks = [];
  for await (const chunk of req) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** An endpoint for webhooks, which believes what the SDK has verified. */
export async function receiveWebhooks() {
  const waiting = [];
  const wanted = [];
  const sdk = new Server({ ...app });
  const url = await listen(async (req, res) => {
    const hook = sdk.webhook({ headers: req.headers, rawBody: await bodyOf(req) });
    const valid = hook.isValid();
    res.writeHead(valid ? 200 : 401).end();
    for (const event of valid ? hook.getEvents() : [{ name: "INVALID" }]) {
      wanted.length > 0 ? wanted.shift()(event) : waiting.push(event);
    }
  });
  const take = () => (waiting.length > 0 ? Promise.resolve(waiting.shift()) : new Promise((resolve) => wanted.push(resolve)));
  return { url: url.href, take };
}

/** The code of an error that a connection has reported. */
export const codeOf = (err) => (err.error?.data ?? err.data).code;

export async function status(promise) {
  const err = await promise.then(() => assert.fail("the call was not refused"), (e) => e);
  return `${err.status} ${err.body?.trim()}`;
}
