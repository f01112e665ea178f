/** Every HTTP call of the official SDK for Node, and its verdict on webhooks. */
import assert from "node:assert/strict";
import { client, key, next, receiveWebhooks, sdkFor, startServer, status, subscribed, suite, test, versions } from "./lib.mjs";

const [version] = versions;
const hooks = await receiveWebhooks();
const server = await startServer("-webhook", hooks.url, "-allow-private-webhooks", "-client-events", "-subscription-count");
const plain = await startServer();
const { sdk } = plain;
const connect = (options) => client(version, plain, options);
const answer = async (promise) => (await promise).text();
const get = async (path, params) => JSON.parse(await answer(sdk.get({ path, params })));

suite("the SDK for Node", () => {
  test("trigger", async () => {
    const channel = await subscribed(connect(), "trigger");
    const got = next(channel, "e");
    assert.equal(await answer(sdk.trigger("trigger", "e", { a: "ä" })), "{}");
    assert.deepEqual(await got, { a: "ä" });
    assert.equal(await answer(sdk.trigger(["trigger", "nobody"], "f", "text")), "{}");
    assert.equal(
      await answer(sdk.trigger(["trigger", "presence-nobody"], "g", 1, { info: "user_count,subscription_count" })),
      '{"channels":{"presence-nobody":{"subscription_count":0,"user_count":0},"trigger":{"subscription_count":1}}}',
    );
  });

  test("triggerBatch", async () => {
    const channel = await subscribed(connect(), "batch");
    const got = [next(channel, "one"), next(channel, "two")];
    const batch = () => [{ channel: "batch", name: "one", data: { n: 1 } }, { channel: "batch", name: "two", data: 2 }];
    assert.equal(await answer(sdk.triggerBatch(batch())), "{}");
    assert.deepEqual(await Promise.all(got), [{ n: 1 }, 2]);
    const [first, second] = batch();
    assert.equal(
      await answer(sdk.triggerBatch([first, { ...second, info: "subscription_count" }])),
      '{"batch":[{},{"subscription_count":1}]}',
    );
  });

  test("sendToUser and terminateUserConnections", async () => {
    const pusher = connect({ user: "u-1@x" });
    const got = next(pusher.user, "e");
    const acknowledged = new Promise((resolve) => pusher.connection.bind("message", (m) => {
      if (m.event === "pusher_internal:subscription_succeeded") resolve();
    }));
    pusher.signin();
    await acknowledged;
    assert.equal(await answer(sdk.sendToUser("u-1@x", "e", { n: 1 })), "{}");
    assert.deepEqual(await got, { n: 1 });
    const ended = next(pusher.connection, "disconnected");
    assert.equal(await answer(sdk.terminateUserConnections("u-1@x")), "{}");
    await ended;
    assert.equal(await answer(sdk.terminateUserConnections("nobody ü")), "{}");
  });

  test("channels, a channel and its users", async () => {
    const first = connect({ user: "1" });
    await subscribed(first, "presence-room");
    await subscribed(connect({ user: "1" }), "presence-room");
    await subscribed(connect({ user: "2" }), "presence-room");
    const cache = await subscribed(first, "cache-room");
    const got = next(cache, "e");
    await sdk.trigger("cache-room", "e", { n: 1 });
    await got;
    assert.deepEqual(await get("/channels", { filter_by_prefix: "presence-r", info: "user_count" }), {
      channels: { "presence-room": { user_count: 2 } },
    });
    assert.ok("cache-room" in (await get("/channels")).channels);
    assert.deepEqual(await get("/channels/presence-room", { info: "user_count,subscription_count" }), {
      occupied: true, subscription_count: 3, user_count: 2,
    });
    const { cache: cached, occupied } = await get("/channels/cache-room", { info: "cache" });
    assert.ok(occupied);
    assert.equal(cached.data, '{"n":1}');
    assert.ok(cached.ttl > 0 && cached.ttl <= 1800);
    assert.deepEqual(await get("/channels/unknown"), { occupied: false });
    assert.deepEqual(await get("/channels/presence-room/users"), { users: [{ id: "1" }, { id: "2" }] });
  });

  test("what is refused", async () => {
    assert.match(await status(sdk.get({ path: "/channels/lobby/users" })), /^400 Users can only be retrieved/);
    assert.match(await status(sdk.get({ path: "/channels", params: { info: "user_count" } })), /^400 user_count may only/);
    assert.match(await status(sdk.trigger("a", "pusher:e", 1)), /^400 Invalid event/);
    assert.match(await status(sdk.trigger("a", "e", "x".repeat(10_241))), /^413 The data content of this event exceeds/);
    assert.match(await status(sdk.triggerBatch(Array(11).fill({ channel: "a", name: "e", data: 1 }))), /^400 Batch too large/);
    assert.match(await status(sdk.get({ path: "/nothing" })), /^404/);
    const wrong = sdkFor(plain.url);
    wrong.config.token.secret = "wrong";
    assert.match(await status(wrong.trigger("a", "e", 1)), /^401 Not authenticated/);
    wrong.config.appId = "2";
    assert.match(await status(wrong.trigger("a", "e", 1)), /^404 Unknown application/);
  });

  test("equal calls are served", async () => {
    const body = JSON.stringify({ name: "e", channels: ["a"], data: "twice" });
    const path = "/apps/1/events";
    const query = sdk.createSignedQueryString({ method: "POST", path, body });
    const post = () => fetch(new URL(`${path}?${query}`, plain.url), { method: "POST", body });
    assert.deepEqual([(await post()).status, (await post()).status], [200, 200]);
  });

  test("a page's script gets no permission", async () => {
    const res = await fetch(new URL("/apps/1/events", plain.url), { method: "OPTIONS", headers: { Origin: "https://evil.test" } });
    assert.equal(res.status, 405);
    assert.equal(res.headers.get("access-control-allow-origin"), null);
  });

  test("webhooks of every kind, verified by the SDK", async () => {
    const pusher = client(version, server, { user: "7" });
    const room = await subscribed(pusher, "presence-a");
    assert.deepEqual(await hooks.take(), { name: "channel_occupied", channel: "presence-a" });
    assert.deepEqual(await hooks.take(), { name: "member_added", channel: "presence-a", user_id: "7" });
    room.trigger("client-typing", { on: true });
    assert.deepEqual(await hooks.take(), {
      name: "client_event", channel: "presence-a", event: "client-typing", data: '{"on":true}',
      socket_id: pusher.connection.socket_id, user_id: "7",
    });
    await subscribed(pusher, "cache-a");
    const three = [await hooks.take(), await hooks.take(), await hooks.take()].sort((a, b) => (a.name < b.name ? -1 : 1));
    assert.deepEqual(three, [
      { name: "cache_miss", channel: "cache-a" },
      { name: "channel_occupied", channel: "cache-a" },
      { name: "subscription_count", channel: "cache-a", subscription_count: 1 },
    ]);
    pusher.unsubscribe("cache-a");
    assert.deepEqual(await hooks.take(), { name: "subscription_count", channel: "cache-a", subscription_count: 0 });
    assert.deepEqual(await hooks.take(), { name: "channel_vacated", channel: "cache-a" });
    pusher.disconnect();
    const two = [await hooks.take(), await hooks.take()].map((e) => e.name).sort();
    assert.deepEqual(two, ["channel_vacated", "member_removed"]);
  });

  test("the key is checked by the client's endpoint as well", async () => {
    assert.equal(key, "app-key");
    const stranger = new version.Pusher("other-key", {
      cluster: "self", wsHost: plain.host, wsPort: plain.port, forceTLS: false, enabledTransports: ["ws"],
    });
    const err = await next(stranger.connection, "error");
    assert.equal((err.error?.data ?? err.data).code, 4001);
  });
});
