/** Every feature of the protocol, on each version of pusher-js. */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { describe } from "node:test";
import { client, codeOf, connected, during, next, startServer, subscribed, suite, test, versions } from "./lib.mjs";

const server = await startServer("-client-events", "-subscription-count");
let n = 0;
const fresh = (prefix) => `${prefix}c${++n}`;

suite("channels", () => {
  for (const version of versions) {
    describe(version.name, { concurrency: true }, () => {
      const connect = (options) => client(version, server, options);

      test("a public channel: everybody but the excluded socket gets an event, until they leave", async () => {
        const name = fresh("");
        const [a, b] = [connect(), connect()];
        const [channelA, channelB] = [await subscribed(a, name), await subscribed(b, name)];
        const data = { text: 'ä "quoted" <b>', list: [1, null] };
        const got = [next(channelA, "greeting"), next(channelB, "greeting")];
        await server.sdk.trigger(name, "greeting", data);
        assert.deepEqual(await Promise.all(got), [data, data]);
        const atB = next(channelB, "excluded");
        const atA = await during(server, channelA, () =>
          server.sdk.trigger(name, "excluded", { n: 1 }, { socket_id: a.connection.socket_id }));
        assert.deepEqual(await atB, { n: 1 });
        assert.deepEqual(atA, []);
        b.unsubscribe(name);
        const other = await subscribed(b, fresh("")); // acknowledged behind the unsubscription
        const late = [];
        channelB.bind_global((event) => late.push(event));
        await server.sdk.trigger([name, other.name], "late", 1);
        await during(server, other, async () => {});
        assert.deepEqual(late, []);
      });

      test("text that is no JSON arrives as text", async () => {
        const channel = await subscribed(connect(), fresh(""));
        const got = next(channel, "text");
        await server.sdk.trigger(channel.name, "text", "hello");
        assert.equal(await got, "hello");
      });

      test("a private channel: with a signature only", async () => {
        const name = fresh("private-");
        const channel = await subscribed(connect(), name);
        const got = next(channel, "e");
        await server.sdk.trigger(name, "e", { n: 1 });
        assert.deepEqual(await got, { n: 1 });
        for (const auth of [
          () => ({ auth: `app-key:${"0".repeat(64)}` }),
          () => ({ auth: "other:x" }),
          (socketId) => server.sdk.authorizeChannel(socketId, `${name}x`),
          () => server.sdk.authorizeChannel("1.1", name),
        ]) {
          const refused = await next(connect({ auth }).subscribe(name), "pusher:subscription_error");
          assert.equal(refused.status, 401);
          assert.equal(refused.type, "AuthError");
        }
      });

      test("a presence channel: members, once for each person however many tabs", async () => {
        const name = fresh("presence-");
        const first = await subscribed(connect({ user: "1" }), name);
        assert.equal(first.members.count, 1);
        assert.deepEqual(first.members.me, { id: "1", info: { name: "N1" } });
        const added = next(first, "pusher:member_added");
        const [tab1, tab2] = [connect({ user: "2" }), connect({ user: "2" })];
        const second = await subscribed(tab1, name);
        assert.deepEqual(await added, { id: "2", info: { name: "N2" } });
        assert.deepEqual(Object.keys(second.members.members).sort(), ["1", "2"]);
        assert.equal(second.members.count, 2);

        const events = [];
        first.bind("pusher:member_added", (m) => events.push(`added ${m.id}`));
        first.bind("pusher:member_removed", (m) => events.push(`removed ${m.id}`));
        await subscribed(tab2, name);
        tab1.disconnect();
        await subscribed(connect({ user: 3 }), name); // the number of Laravel and the documentation
        await during(server, first, async () => {});
        assert.deepEqual(events, ["added 3"]);
        const removed = next(first, "pusher:member_removed");
        tab2.unsubscribe(name);
        assert.equal((await removed).id, "2");
        assert.deepEqual(Object.keys(first.members.members).sort(), ["1", "3"]);
      });

      test("an encrypted channel: sealed by the SDK, opened by the client", async () => {
        const name = fresh("private-encrypted-");
        const channel = await subscribed(connect(), name);
        const got = next(channel, "e");
        await server.sdk.trigger(name, "e", { secret: "ü" });
        assert.deepEqual(await got, { secret: "ü" });
      });

      for (const prefix of ["cache-", "private-cache-", "private-encrypted-cache-", "presence-cache-"]) {
        test(`a ${prefix} channel: cache_miss, then the last event for whoever comes`, async () => {
          const name = fresh(prefix);
          const first = connect({ user: "1" });
          const channel = first.subscribe(name);
          await next(channel, "pusher:cache_miss");
          const both = next(channel, "two");
          await server.sdk.trigger(name, "one", 1);
          await server.sdk.trigger(name, "two", { n: 2 });
          await both;
          const second = connect({ user: "2" }).subscribe(name);
          const missed = [];
          second.bind("pusher:cache_miss", () => missed.push(1));
          assert.deepEqual(await next(second, "two"), { n: 2 });
          await during(server, second, async () => {});
          assert.deepEqual(missed, []);
        });
      }

      test("client events: to the others, with the sender's id on presence channels, never cached", async () => {
        for (const prefix of ["private-", "presence-", "private-cache-"]) {
          const name = fresh(prefix);
          const [a, b] = [await subscribed(connect({ user: "1" }), name), await subscribed(connect({ user: "2" }), name)];
          const got = next(b, "client-typing");
          const echoed = await during(server, a, async () => {
            assert.ok(a.trigger("client-typing", { on: true }));
            assert.deepEqual(await got, prefix === "presence-" ? { data: { on: true }, user: "1" } : { on: true });
          });
          assert.deepEqual(echoed, []);
          const late = await subscribed(connect({ user: "3" }), name);
          assert.deepEqual(await during(server, late, async () => {}), []);
        }
      });

      test("client events: the wrong place, and too many, are error 4301, and the connection stays", async () => {
        const pusher = connect();
        const open = await subscribed(pusher, fresh(""));
        const wrongPlace = next(pusher.connection, "error");
        assert.ok(pusher.send_event("client-x", {}, open.name));
        assert.equal(codeOf(await wrongPlace), 4301);

        const channel = await subscribed(pusher, fresh("private-"));
        const listener = await subscribed(connect(), channel.name);
        const tooMany = next(pusher.connection, "error");
        const events = await during(server, listener, async () => {
          for (let i = 0; i < 60; i++) channel.trigger("client-x", { i });
          assert.equal(codeOf(await tooMany), 4301);
        });
        assert.ok(events.length >= 10 && events.length < 60, `${events.length} events`);
        assert.equal(pusher.connection.state, "connected");
      });

      test("subscription_count", { skip: !version.users && "unknown to this version" }, async () => {
        const name = fresh("");
        const first = connect().subscribe(name);
        assert.deepEqual(await next(first, "pusher:subscription_count"), { subscription_count: 1 });
        const two = next(first, "pusher:subscription_count");
        const second = connect();
        await subscribed(second, name);
        assert.deepEqual(await two, { subscription_count: 2 });
        assert.equal(first.subscriptionCount, 2);
        const one = next(first, "pusher:subscription_count");
        second.disconnect();
        assert.deepEqual(await one, { subscription_count: 1 });
      });

      const userTest = (name, f) => test(name, { skip: !version.users && "unknown to this version" }, f);

      userTest("signin: a numeric id is that of the string of its digits", async () => {
        const id = 1000 + ++n;
        const customHandler = ({ socketId }, done) => { // the SDK for Node signs no numbers, others do
          const user_data = JSON.stringify({ id });
          const { key, secret } = server.sdk.config.token;
          const signature = createHmac("sha256", secret).update(`${socketId}::user::${user_data}`).digest("hex");
          done(null, { auth: `${key}:${signature}`, user_data });
        };
        const pusher = connect({ userAuthentication: { customHandler } });
        pusher.signin();
        await next(pusher, "pusher:signin_success");
        const event = next(pusher.user, "for-you");
        await untilUserChannel(`${id}`, 1);
        await server.sdk.sendToUser(`${id}`, "for-you", { n: 1 });
        assert.deepEqual(await event, { n: 1 });
      });

      userTest("signin: events for the user reach all their connections, and nobody else's", async () => {
        const id = fresh("u");
        const [a, b, other] = [connect({ user: id }), connect({ user: id }), connect({ user: `${id}x` })];
        for (const pusher of [a, b, other]) {
          pusher.signin();
          await next(pusher, "pusher:signin_success");
        }
        const events = [];
        other.user.bind_global((event) => events.push(event));
        const got = [next(a.user, "for-you"), next(b.user, "for-you")];
        await untilUserChannel(id, 2);
        await server.sdk.sendToUser(id, "for-you", { n: 1 });
        assert.deepEqual(await Promise.all(got), [{ n: 1 }, { n: 1 }]);
        const own = next(other.user, "own");
        await untilUserChannel(`${id}x`, 1);
        await server.sdk.sendToUser(`${id}x`, "own", {});
        await own;
        assert.deepEqual(events.filter((e) => e === "for-you"), []);
      });

      test("a user's channel takes nobody who is not signed in as that user", async () => {
        const pusher = connect();
        await connected(pusher);
        const refused = next(pusher, "pusher:subscription_error");
        pusher.send_event("pusher:subscribe", { channel: "#server-to-user-7", auth: "" }); // subscribe refuses the name
        assert.ok((await refused).status >= 400);
      });

      userTest("terminate_connections: the user's connections end for good, others stay", async () => {
        const id = fresh("u");
        const [a, b] = [connect({ user: id }), connect({ user: `${id}x` })];
        for (const pusher of [a, b]) {
          pusher.signin();
          await next(pusher, "pusher:signin_success");
        }
        const ended = next(a.connection, "disconnected");
        await server.sdk.terminateUserConnections(id);
        await ended;
        assert.equal(b.connection.state, "connected");
        await subscribed(b, fresh(""));
      });

      userTest("watchlist: who is online at first, and then who comes and goes", async () => {
        const [me, friend, late] = [fresh("u"), fresh("u"), fresh("u")];
        const signIn = async (options) => {
          const pusher = connect(options);
          pusher.signin();
          await next(pusher, "pusher:signin_success");
          return pusher;
        };
        const online = await signIn({ user: friend });
        const watcher = connect({ user: me, watchlist: [friend, late] });
        const first = next(watcher.user.watchlist, "online");
        const missing = next(watcher.user.watchlist, "offline");
        watcher.signin();
        assert.deepEqual((await first).user_ids, [friend]);
        assert.deepEqual((await missing).user_ids, [late]);
        const came = next(watcher.user.watchlist, "online");
        await signIn({ user: late });
        assert.deepEqual((await came).user_ids, [late]);
        const left = next(watcher.user.watchlist, "offline");
        online.disconnect();
        assert.deepEqual((await left).user_ids, [friend]);
      });
    });
  }

  describe("liveness", { concurrency: true }, () => {
    for (const version of versions) {
      test(`${version.name}: both sides ping, and stay connected`, async () => {
        const quiet = await startServer("-activity-timeout", "1s");
        const log = [];
        version.Pusher.log = (line) => log.push(line);
        // The client pings after its own timeout when that is the shorter one, and the server does when it is.
        const pinging = client(version, server, { activityTimeout: 500 });
        const pinged = client(version, quiet, { activityTimeout: 60_000 });
        await Promise.all([connected(pinging), connected(pinged)]);
        const states = [];
        for (const p of [pinging, pinged]) p.connection.bind("state_change", (s) => states.push(s.current));
        await new Promise((resolve) => setTimeout(resolve, 13_000)); // longer than timeout and grace together
        version.Pusher.log = undefined;
        assert.deepEqual(states, []);
        assert.ok(log.some((l) => l.includes("Event recd") && l.includes("pusher:pong")), "no pong for the client's ping");
        assert.ok(log.some((l) => l.includes("Event sent") && l.includes("pusher:pong")) ||
          log.some((l) => l.includes("Event sent") && l.includes("pusher:ping")), "the client was silent");
      });
    }
  });
});

/** Waits until the clients have subscribed to their user's own channel, which pusher-js does by itself after signin. */
async function untilUserChannel(id, count) {
  for (;;) {
    const res = await server.sdk.get({ path: `/channels/%23server-to-user-${id}`, params: { info: "subscription_count" } });
    if ((await res.json()).subscription_count === count) return;
  }
}
