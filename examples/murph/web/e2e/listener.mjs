/** A bare client of the Pusher protocol that subscribes with a grant and never leaves by itself. */
import assert from "node:assert/strict";
import { once } from "node:events";
import nacl from "tweetnacl";
import WebSocket from "ws";
import { until } from "./page.mjs";

export class Listener {
  /** The events of the application, decrypted. */
  events = [];
  #socket;
  #id;
  #grants = new Map();
  #pongs = 0;
  #subscribed = new Set();

  /** Subscribes to both channels of a transport. */
  static async join(as, transport, base) {
    const listener = new Listener();
    const host = `${transport.wsHost ?? base.hostname}:${transport.wsPort ?? base.port}`;
    const url = `ws://${host}${transport.wsPath ?? ""}/app/${transport.key}?protocol=7&client=e2e&version=1`;
    listener.#socket = new WebSocket(url, { origin: base.origin });
    listener.#socket.on("message", (bytes) => listener.#take(JSON.parse(bytes.toString())));
    await once(listener.#socket, "open");
    await until("it is connected", () => listener.#id);
    for (const channel of [transport.channel, transport.presenceChannel]) {
      const res = await listener.#authorize(as, transport, channel);
      assert.equal(res.status, 200, channel);
      const grant = await res.json();
      listener.#grants.set(channel, grant);
      listener.#send("pusher:subscribe", { channel, auth: grant.auth, channel_data: grant.channel_data });
      await until(`${channel} is subscribed`, () => listener.#subscribed.has(channel));
    }
    return listener;
  }

  /**
   * Returns the event of a frame, with the payload as an object and decrypted. The payload is {} where the key of the
   * channel does not open it.
   */
  open({ event, channel, data }) {
    const payload = typeof data === "string" ? JSON.parse(data) : data;
    const secret = this.#grants.get(channel)?.shared_secret;
    if (!secret || !payload?.ciphertext) return { event, channel, data: payload ?? {} };
    const [box, nonce, key] = [payload.ciphertext, payload.nonce, secret].map((text) => new Uint8Array(Buffer.from(text, "base64")));
    const opened = nacl.secretbox.open(box, nonce, key);
    return { event, channel, data: opened ? JSON.parse(Buffer.from(opened).toString()) : {} };
  }

  async until(condition) {
    await until("the listener heard it", () => condition(this.events));
  }

  /** Waits for an answer of the server: what was sent before it is here then. */
  async ping() {
    const before = this.#pongs;
    this.#send("pusher:ping", {});
    await until("the server answers the listener", () => this.#pongs > before);
  }

  /** Asks for the channels of another transport, and returns the answers' statuses. */
  refusals(as, transport) {
    const ask = async (channel) => (await this.#authorize(as, transport, channel)).status;
    return Promise.all([transport.channel, transport.presenceChannel].map(ask));
  }

  close() {
    this.#socket.terminate();
  }

  #authorize(as, transport, channel) {
    const body = new URLSearchParams({ socket_id: this.#id, channel_name: channel });
    return as(transport.authEndpoint, { method: "POST", body });
  }

  #send(event, data) {
    this.#socket.send(JSON.stringify({ event, data }));
  }

  #take(frame) {
    if (frame.event === "pusher:connection_established") this.#id = JSON.parse(frame.data).socket_id;
    else if (frame.event === "pusher:pong") this.#pongs++;
    else if (frame.event === "pusher:ping") this.#send("pusher:pong", {});
    else if (frame.event === "pusher_internal:subscription_succeeded") this.#subscribed.add(frame.channel);
    else if (!frame.event.startsWith("pusher")) this.events.push(this.open(frame));
  }
}
