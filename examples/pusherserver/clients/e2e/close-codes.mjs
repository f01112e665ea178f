/**
 * What pusher-js does when a server closes an established connection, code by code: comes back at once, after a second,
 * or never. The server here does nothing but close, because ours does not send every code; the table is what the choice
 * of its codes rests on.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { WebSocketServer } from "ws";
import { client, connected, next, startServer, suite, test, versions } from "./lib.mjs";

const atOnce = [4200, 4201, 4202, 4299];
const later = [1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 1011, 1013, 4100, 4101, 4199];
const never = [4001, 4003, 4004, 4005, 4006, 4007, 4008, 4009, 4099, 4300, 4301, 4302, 4399];
const observed = 2500; // ms

/** A server that closes the first connection with a code, and notes when the second one comes. */
async function closer(code) {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  await once(server, "listening");
  const result = { host: "127.0.0.1", port: server.address().port, end: () => server.close(), again: null };
  let closed;
  server.on("connection", (socket) => {
    if (closed !== undefined) {
      result.again ??= performance.now() - closed;
      return;
    }
    socket.send(JSON.stringify({
      event: "pusher:connection_established", data: JSON.stringify({ socket_id: "1.1", activity_timeout: 30 }),
    }), () => {
      closed = performance.now();
      if (code === 1006) socket.terminate();
      else if (code === 1005) socket.close();
      else socket.close(code, "because");
    });
  });
  return result;
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

suite("close codes", () => {
  for (const version of versions) {
    test(`${version.name}: when it comes back`, async () => {
      const rows = await Promise.all([...atOnce, ...later, ...never].map(async (code) => {
        const server = await closer(code);
        const pusher = client(version, server);
        await connected(pusher);
        await pause(observed);
        const { state } = pusher.connection;
        pusher.disconnect();
        server.end();
        return { code, again: server.again, state };
      }));
      for (const { code, again, state } of rows) {
        const what = `${code}: ${again === null ? "never" : `after ${Math.round(again)} ms`}, ${state}`;
        if (never.includes(code)) {
          assert.equal(again, null, what);
          assert.equal(state, "disconnected", what);
        } else if (later.includes(code)) {
          assert.ok(again >= 950 && again < 2000, what);
        } else {
          assert.ok(again !== null && again < 900, what);
        }
      }
    });

    test(`${version.name}: 4000 switches to TLS`, async () => {
      const tls = createServer();
      tls.listen(0, "127.0.0.1");
      await once(tls, "listening");
      const hello = once(tls, "connection").then(async ([socket]) => {
        const [bytes] = await once(socket, "data");
        socket.destroy();
        return bytes[0];
      });
      const server = await closer(4000);
      const pusher = client(version, server, { wssPort: tls.address().port, enabledTransports: ["ws", "wss"] });
      assert.equal(await hello, 0x16, "a TLS handshake record");
      pusher.disconnect();
      server.end();
      tls.close();
    });
  }

  test("a restart behind a proxy: 4200, and every version is on the new server at once", async () => {
    const [first, second] = [await startServer(), await startServer()];
    let target = first;
    const proxy = createServer((socket) => {
      const upstream = connect(target.port, target.host);
      for (const [a, b] of [[socket, upstream], [upstream, socket]]) a.on("error", () => b.destroy()).pipe(b);
    });
    proxy.listen(0, "127.0.0.1");
    await once(proxy, "listening");
    const clients = versions.map((version) => client(version, { ...first, port: proxy.address().port }));
    await Promise.all(clients.map(connected));
    target = second;
    const back = clients.map((pusher) => next(pusher.connection, "connected"));
    const began = performance.now();
    first.child.kill("SIGTERM");
    await Promise.all(back);
    assert.ok(performance.now() - began < 2000);
    assert.deepEqual(await first.exit, [0, null]);
    for (const pusher of clients) pusher.disconnect();
    proxy.close();
  });
});
