/** Laravel Echo, with the authorisation endpoints that an application would have. */
import assert from "node:assert/strict";
import Echo from "laravel-echo";
import { bodyOf, key, listen, startServer, suite, test, versions } from "./lib.mjs";

const server = await startServer("-client-events");
const [version] = versions;

/** What Laravel's broadcasting routes do, on the SDK. The user is in a header. */
const app = await listen(async (req, res) => {
  const form = new URLSearchParams(await bodyOf(req));
  const user = req.headers["x-user"];
  const [socket, channel] = [form.get("socket_id"), form.get("channel_name")];
  if (user === "stranger") return res.writeHead(403).end("{}");
  const grant = req.url.endsWith("/user-auth")
    ? server.sdk.authenticateUser(socket, { id: user })
    : server.sdk.authorizeChannel(socket, channel, channel.startsWith("presence-") ? { user_id: Number(user), user_info: { name: `N${user}` } } : undefined);
  res.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(grant));
});

const echoes = [];
function echo(user) {
  const headers = { "X-User": user };
  const instance = new Echo({
    broadcaster: "pusher",
    Pusher: version.Pusher,
    key,
    cluster: "self",
    wsHost: server.host,
    wsPort: server.port,
    forceTLS: false,
    enabledTransports: ["ws", "wss"],
    authEndpoint: new URL("/broadcasting/auth", app).href,
    userAuthentication: { endpoint: new URL("/broadcasting/user-auth", app).href, headers },
    auth: { headers },
  });
  echoes.push(instance);
  return instance;
}

const until = (subscribe) => new Promise((resolve, reject) => subscribe(resolve, reject));
const ready = (channel) => until((resolve, reject) => channel.subscribed(() => resolve(channel)).error(reject));

suite("laravel-echo", () => {
  test("channel and private: events of the application", async () => {
    const one = echo("1");
    for (const [open, name] of [
      [() => one.channel("orders"), "orders"],
      [() => one.private("orders.7"), "private-orders.7"],
      [() => one.encryptedPrivate("orders.7"), "private-encrypted-orders.7"],
    ]) {
      const channel = await ready(open());
      const got = until((resolve) => channel.listen("OrderShipped", resolve));
      await server.sdk.trigger(name, "App\\Events\\OrderShipped", { id: 7 });
      assert.deepEqual(await got, { id: 7 });
    }
  });

  test("private: who may not is refused by the endpoint", async () => {
    const err = await until((resolve) => echo("stranger").private("orders.7").error(resolve));
    assert.equal(err.status, 403);
  });

  test("join: here, joining, leaving", async () => {
    const first = echo("1").join("room.1");
    assert.deepEqual(await until((resolve) => first.here(resolve)), [{ name: "N1" }]);
    const joining = until((resolve) => first.joining(resolve));
    const second = echo("2");
    await ready(second.join("room.1"));
    assert.deepEqual(await joining, { name: "N2" });
    const leaving = until((resolve) => first.leaving(resolve));
    second.leave("room.1");
    assert.deepEqual(await leaving, { name: "N2" });
  });

  test("whisper reaches the others", async () => {
    const [a, b] = await Promise.all([ready(echo("1").private("chat")), ready(echo("2").private("chat"))]);
    const got = until((resolve) => b.listenForWhisper("typing", resolve));
    a.whisper("typing", { on: true });
    assert.deepEqual(await got, { on: true });
  });

  test("toOthers: the socket id that Echo sends along is left out", async () => {
    const sender = echo("1");
    const channel = await ready(sender.channel("board"));
    const seen = [];
    channel.listenToAll((event) => seen.push(event));
    await server.sdk.trigger("board", "App\\Events\\Own", {}, { socket_id: sender.socketId() });
    const other = until((resolve) => channel.listen("Other", resolve));
    await server.sdk.trigger("board", "App\\Events\\Other", {});
    await other;
    assert.deepEqual(seen, ["Other"]);
  });

  test("signin through the endpoint", async () => {
    const { pusher } = echo("5").connector;
    const done = until((resolve) => pusher.bind("pusher:signin_success", resolve));
    pusher.signin();
    assert.equal(JSON.parse((await done).user_data).id, "5");
  });

  test("disconnect", () => {
    for (const instance of echoes) instance.disconnect();
  });
});
