import Pusher from "pusher-js";
import nacl from "tweetnacl";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { PusherConnection, type ConnectionOptions, type Transport } from "../src/murph";
import { pusherOptions } from "../src/murph/config";
import { isEncrypted } from "../src/murph/load";
import { PusherServer } from "./pusherServer";

const channel = "private-consultation-demo";
const grant = () => Promise.resolve(Response.json({ auth: "k:signature" }));

let server: PusherServer;
const connections: PusherConnection[] = [];

beforeEach(async () => {
  server = await PusherServer.listen();
});

afterEach(async () => {
  for (const connection of connections.splice(0)) connection.close();
  await server.close();
});

function connect(options: Partial<ConnectionOptions> = {}): PusherConnection {
  const transport: Transport = { driver: "websocket", key: "k", wsHost: "127.0.0.1", wsPort: server.port, forceTLS: false, authEndpoint: "/auth" };
  const connection = new PusherConnection(transport, { fetch: grant, log: () => undefined, linger: 0, pace: 0.02, ...options });
  connections.push(connection);
  return connection;
}

function subscribed(connection: PusherConnection, cycle = 1): Promise<void> {
  return new Promise((resolve) => {
    const check = () => {
      const status = connection.channelStatus(channel);
      if (status.state === "subscribed" && status.cycle >= cycle) resolve();
    };
    connection.watchChannel(channel, check);
    check();
  });
}

/** Waits until a frame sent now has arrived: whatever was sent before has arrived too. */
async function pinged(connection: PusherConnection): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  connection.wake();
  await server.received("pusher:ping", server.count("pusher:ping") + 1);
}

describe("PusherConnection", () => {
  it("subscribes once for all listeners of a channel and unsubscribes with the last one", async () => {
    const connection = connect();
    const first = vi.fn();
    const second = vi.fn();
    const leaveFirst = connection.subscribe(channel, "new-message", first);
    const arrived = new Promise((resolve) => second.mockImplementation(resolve));
    const leaveSecond = connection.subscribe(channel, "new-message", second);
    await vi.waitFor(() => expect(connection.channelStatus(channel)).toEqual({ state: "subscribed", cycle: 1 }));
    leaveFirst();
    leaveFirst();
    server.publish(channel, "new-message", { n: 1 });
    await arrived;
    expect(first).not.toHaveBeenCalled();
    expect(second).toHaveBeenCalledExactlyOnceWith({ n: 1 });
    expect(server.count("pusher:subscribe", channel)).toBe(1);
    leaveSecond();
    await server.received("pusher:unsubscribe");
    await server.disconnected();
    expect(connection.state).toBe("idle");
    expect(Pusher.instances).toEqual([]);
  });

  it("keeps the other listeners when one throws", async () => {
    const complaint = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const connection = connect();
    connection.subscribe(channel, "e", () => {
      throw new Error("broken");
    });
    const arrived = new Promise((resolve) => void connection.subscribe(channel, "e", resolve));
    await subscribed(connection);
    server.publish(channel, "e", 1);
    await arrived;
    expect(complaint).toHaveBeenCalledOnce();
  });

  it("asks the endpoint as Pusher libraries do, and within five seconds", async () => {
    const fetch = vi.fn(grant);
    const connection = connect({ fetch });
    await subscribed(connection);
    const [url, init] = fetch.mock.calls[0] as unknown as [string, RequestInit];
    expect(url).toBe("/auth");
    expect(init).toMatchObject({ method: "POST", credentials: "same-origin" });
    expect((init.body as URLSearchParams).toString()).toBe(`socket_id=1.1&channel_name=${channel}`);
    expect(init.signal).toBeInstanceOf(AbortSignal);
    expect(server.frames.find((f) => f.event === "pusher:subscribe")?.data.auth).toBe("k:signature");
  });

  it.each([
    ["500", () => Promise.resolve(new Response("", { status: 500 }))],
    ["201, which is no success here", () => Promise.resolve(Response.json({ auth: "k:s" }, { status: 201 }))],
    ["no JSON", () => Promise.resolve(new Response("<html>"))],
    ["nothing", () => Promise.reject(new TypeError("network"))],
  ])("asks again when the endpoint answers %s", async (_, failure) => {
    const fetch = vi.fn(grant).mockImplementationOnce(failure).mockImplementationOnce(failure);
    await subscribed(connect({ fetch }));
    expect(fetch).toHaveBeenCalledTimes(3);
  });

  it.each([401, 403])("takes %i for an answer, until it is woken", async (status) => {
    const fetch = vi.fn(grant).mockImplementationOnce(() => Promise.resolve(new Response("", { status })));
    const connection = connect({ fetch });
    const denied = new Promise<void>((resolve) => {
      connection.watchChannel(channel, () => {
        if (connection.channelStatus(channel).state === "denied") resolve();
      });
    });
    await denied;
    expect(server.count("pusher:subscribe")).toBe(0);
    connection.wake();
    await subscribed(connection);
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  it("subscribes anew after a refusal on the socket, and after silence", async () => {
    const connection = connect();
    const answers = ["AuthError", null, true];
    server.onSubscribe = () => answers.shift() ?? null;
    await subscribed(connection);
    expect(server.count("pusher:subscribe")).toBe(3);
  });

  it("drops an answer of the endpoint to a socket that is gone", async () => {
    let release: (r: Response) => void = () => undefined;
    const fetch = vi.fn(grant).mockImplementationOnce(() => new Promise((resolve) => (release = resolve)));
    const connection = connect({ fetch });
    connection.watchChannel(channel, () => undefined);
    await vi.waitFor(() => expect(fetch).toHaveBeenCalledOnce());
    server.drop(4200);
    await subscribed(connection);
    release(Response.json({ auth: "k:stale" }));
    await pinged(connection);
    expect(server.frames.filter((f) => f.event === "pusher:subscribe").map((f) => f.data.auth)).toEqual(["k:signature"]);
  });

  it("comes back after unclean closes, however many, with its listeners", async () => {
    const connection = connect();
    const heard = vi.fn();
    connection.subscribe(channel, "e", heard);
    await subscribed(connection);
    for (let cycle = 2; cycle <= 4; cycle++) {
      server.drop(cycle === 3 ? 1002 : undefined);
      await subscribed(connection, cycle);
    }
    server.publish(channel, "e", 1);
    await vi.waitFor(() => expect(heard).toHaveBeenCalledOnce());
  }, 15_000);

  it("builds a new client when pusher-js has given up", async () => {
    const connection = connect();
    const heard = vi.fn();
    connection.subscribe(channel, "e", heard);
    await subscribed(connection);
    const [given] = Pusher.instances;
    // 4009 makes pusher-js stop for good.
    server.drop(4009);
    await subscribed(connection, 2);
    expect(Pusher.instances).toHaveLength(1);
    expect(Pusher.instances[0]).not.toBe(given);
    server.publish(channel, "e", 1);
    await vi.waitFor(() => expect(heard).toHaveBeenCalledOnce());
  });

  it("replaces a socket that is open and dead when the page comes back", async () => {
    const connection = connect();
    await subscribed(connection);
    const [socket] = server.sockets;
    socket?.pause();
    connection.wake();
    await subscribed(connection, 2);
    socket?.resume();
  });

  it("keeps a socket that answers when the page comes back", async () => {
    const connection = connect();
    await subscribed(connection);
    connection.wake();
    await server.received("pusher:ping");
    const arrived = new Promise((resolve) => void connection.subscribe(channel, "e", resolve));
    server.publish(channel, "e", 1);
    await arrived;
    expect(connection.channelStatus(channel).cycle).toBe(1);
  });

  it("leaves nothing behind when the last listener goes before the endpoint has answered", async () => {
    let release: (r: Response) => void = () => undefined;
    const fetch = vi.fn(() => new Promise<Response>((resolve) => (release = resolve)));
    const connection = connect({ fetch, linger: 60_000 });
    const leave = connection.subscribe(channel, "e", () => undefined);
    await vi.waitFor(() => expect(fetch).toHaveBeenCalledOnce());
    leave();
    await server.received("pusher:unsubscribe");
    release(Response.json({ auth: "k:late" }));
    await pinged(connection);
    expect(server.count("pusher:subscribe")).toBe(0);
    expect(Pusher.instances.map((p) => p.allChannels())).toEqual([[]]);
  });

  it("reports its changes of state", async () => {
    const log = vi.fn();
    const connection = connect({ log });
    const states: string[] = [];
    connection.watch(() => states.push(connection.state));
    await subscribed(connection);
    expect(states).toEqual(["connecting", "connected"]);
    expect(connection.socketId).toBe("1.1");
    expect(log).toHaveBeenCalledWith("connecting -> connected");
  });
});

describe("PusherConnection beyond private channels", () => {
  it("knows who is on a presence channel, and whose a client event is", async () => {
    const grantMember = () => Promise.resolve(Response.json({ auth: "k:s", channel_data: '{"user_id":"p"}' }));
    const connection = connect({ fetch: grantMember });
    const room = "presence-consultation-demo";
    const hash = { p: {}, s: {} };
    server.onSubscribe = () => ({ presence: { count: 2, ids: ["p", "s"], hash } });
    const heard = vi.fn();
    connection.subscribe(room, "client-typing", heard);
    const members = () => [...(connection.channelMembers(room) ?? [])];
    await vi.waitFor(() => expect(members()).toEqual(["p", "s"]));
    server.send({ event: "client-typing", channel: room, data: { user_id: "forged" }, user_id: "s" });
    await vi.waitFor(() => expect(heard).toHaveBeenCalledExactlyOnceWith({ user_id: "forged" }, { user_id: "s" }));
    server.send({ event: "pusher_internal:member_removed", channel: room, data: '{"user_id":"s"}' });
    await vi.waitFor(() => expect(members()).toEqual(["p"]));
    server.send({ event: "pusher_internal:member_added", channel: room, data: '{"user_id":"s2","user_info":{}}' });
    await vi.waitFor(() => expect(members()).toEqual(["p", "s2"]));
    expect(connection.trigger(room, "client-typing", {})).toBe(true);
    await server.received("client-typing");
    // Nobody answers the next subscription, so what the lost socket left stays to be seen.
    server.onSubscribe = () => null;
    server.drop();
    // pusher-js waits a second before it says that it has lost the socket.
    await vi.waitFor(() => expect(connection.channelMembers(room)).toBeNull(), { timeout: 4_000 });
  });

  it("closes for a page that is kept for Back, and opens again", async () => {
    const connection = connect();
    await subscribed(connection);
    connection.sleep();
    await server.disconnected();
    expect(connection.state).toBe("interrupted");
    connection.wake();
    await subscribed(connection, 2);
  });

  it("fetches the build with encryption for the first channel that needs it, and decrypts", async () => {
    const secret = new Uint8Array(32).fill(7);
    const grantWithKey = () => Promise.resolve(Response.json({ auth: "k:s", shared_secret: Buffer.from(secret).toString("base64") }));
    const connection = connect({ fetch: grantWithKey });
    const plain = vi.fn();
    connection.subscribe(channel, "e", plain);
    await subscribed(connection);
    const [first] = Pusher.instances;
    const sealed = "private-encrypted-consultation-demo";
    const arrived = new Promise((resolve) => void connection.subscribe(sealed, "new-message", resolve));
    await vi.waitFor(() => expect(connection.channelStatus(sealed).state).toBe("subscribed"));
    await subscribed(connection, 2);
    expect(Pusher.instances).not.toContain(first);
    const nonce = new Uint8Array(24).fill(1);
    const box = nacl.secretbox(Buffer.from('{"n":1}'), nonce, secret);
    server.publish(sealed, "new-message", { nonce: Buffer.from(nonce).toString("base64"), ciphertext: Buffer.from(box).toString("base64") });
    expect(await arrived).toEqual({ n: 1 });
    server.publish(channel, "e", 1);
    await vi.waitFor(() => expect(plain).toHaveBeenCalledOnce());
  });
});

describe("PusherConnection with encrypted channels that change", () => {
  it("moves on the same socket, and opens what each channel carries with its own key", async () => {
    const first = "private-encrypted-consultation-demo";
    const second = "private-encrypted-consultation.2-demo";
    const keys = new Map([[first, new Uint8Array(32).fill(1)], [second, new Uint8Array(32).fill(2)]]);
    const fetch = (_: string, init: RequestInit) => {
      const key = keys.get((init.body as URLSearchParams).get("channel_name") ?? "") ?? new Uint8Array(32);
      return Promise.resolve(Response.json({ auth: "k:s", shared_secret: Buffer.from(key).toString("base64") }));
    };
    const connection = connect({ fetch });
    const heard = vi.fn();
    expect([...keys.keys()].filter(isEncrypted)).toHaveLength(2);
    for (const name of keys.keys()) {
      const leave = connection.subscribe(name, "new-message", heard);
      await vi.waitFor(() => expect(connection.channelStatus(name).state).toBe("subscribed"), { timeout: 4_000 });
      const nonce = new Uint8Array(24).fill(3);
      const box = nacl.secretbox(Buffer.from(JSON.stringify({ name })), nonce, keys.get(name) ?? nonce);
      const [n, c] = [nonce, box].map((bytes) => Buffer.from(bytes).toString("base64"));
      server.publish(name, "new-message", { nonce: n, ciphertext: c });
      await vi.waitFor(() => expect(heard).toHaveBeenLastCalledWith({ name }), { timeout: 4_000 });
      if (name === first) leave();
    }
    expect(heard).toHaveBeenCalledTimes(2);
    expect(server.sockets).toHaveLength(1);
    expect(server.count("pusher:unsubscribe", first)).toBe(1);
  }, 15_000);

  it.each([
    [200, { state: "subscribed", cycle: 2 }],
    [403, { state: "denied", cycle: 1 }],
    [500, { state: "subscribed", cycle: 2 }],
  ])("takes notice of an event that it cannot open, when the endpoint answers %i about the key", async (status, after) => {
    const name = "private-encrypted-consultation-demo";
    const answers = [200, status, 200];
    const body = { auth: "k:s", shared_secret: Buffer.from(new Uint8Array(32)).toString("base64") };
    const connection = connect({ fetch: () => Promise.resolve(Response.json(body, { status: answers.shift() ?? 500 })) });
    connection.subscribe(name, "resync-required", () => undefined);
    await vi.waitFor(() => expect(connection.channelStatus(name).state).toBe("subscribed"), { timeout: 4_000 });
    vi.spyOn(console, "error").mockImplementation(() => undefined); // pusher-js says that it drops the event
    const [nonce, ciphertext] = [24, 40].map((n) => Buffer.from(new Uint8Array(n)).toString("base64"));
    server.publish(name, "resync-required", { nonce, ciphertext });
    await vi.waitFor(() => expect(connection.channelStatus(name)).toEqual(after), { timeout: 4_000 });
  }, 15_000);
});

describe("pusherOptions", () => {
  const authorize = () => undefined;
  const http = { hostname: "chat.example", port: "8080", protocol: "http:" };
  const https = { hostname: "chat.example", port: "", protocol: "https:" };

  it("takes the page's own host where the server names none", () => {
    expect(pusherOptions({ driver: "websocket", key: "k" }, http, authorize)).toMatchObject({
      wsHost: "chat.example", wsPort: 8080, forceTLS: false, enabledTransports: ["ws"], cluster: "self",
    });
    const secure = pusherOptions({ driver: "websocket", key: "k", wsPath: "/live" }, https, authorize);
    expect(secure).toMatchObject({ wsHost: "chat.example", forceTLS: true, enabledTransports: ["ws", "wss"], wsPath: "/live" });
    expect(secure).not.toHaveProperty("wsPort");
    expect(secure).not.toHaveProperty("wssPort");
  });

  it("takes what the server names", () => {
    const t: Transport = { driver: "websocket", key: "k", wsHost: "ws.example", wsPort: 81, wssPort: 444, forceTLS: true };
    expect(pusherOptions(t, http, authorize)).toMatchObject({
      wsHost: "ws.example", wsPort: 81, wssPort: 444, forceTLS: true, enabledTransports: ["ws", "wss"],
    });
  });

  it("never lets hosted Pusher fall back to other scripts and sockets", () => {
    const options = pusherOptions({ driver: "pusher", key: "k", cluster: "eu" }, http, authorize);
    expect(options).toMatchObject({ cluster: "eu", enabledTransports: ["ws", "wss"] });
    expect(options).not.toHaveProperty("wsHost");
  });
});
