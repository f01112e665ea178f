/**
 * Many pusher-js clients of the demo consultation, while the processes behind MURPH_URL are restarted. It says "ready"
 * when all are subscribed. When its input ends it waits until every client has all messages, by its own means: events,
 * and a catch-up upon each new subscription and each call to resync. Then it prints what the clients have noticed.
 */
import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import Pusher from "pusher-js";

const base = new URL(process.env.MURPH_URL);
const count = Number(process.env.MURPH_CLIENTS ?? 40);
const channel = "private-consultation-demo";
const offline = [];
const connects = new Map();

async function fetchJSON(user, path, init = {}) {
  const response = await fetch(new URL(path, base), { ...init, headers: { ...init.headers, Cookie: `murph_demo=${user}` } });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json();
}

class Client {
  constructor(i) {
    this.user = i % 2 ? "patient-1" : "student-1";
    this.messages = new Map();
    this.rev = 0;
    this.lostAt = 0;
    this.pusher = new Pusher("murph-demo", {
      cluster: "self", wsHost: base.hostname, wsPort: Number(base.port), forceTLS: false, enabledTransports: ["ws"],
      disableStats: true, channelAuthorization: { customHandler: (request, done) => void this.authorise(request, done) },
    });
    this.pusher.connection.bind("state_change", ({ previous, current }) => {
      if (current === "connecting") {
        const second = Math.floor(Date.now() / 1000);
        connects.set(second, (connects.get(second) ?? 0) + 1);
      }
      if (previous === "connected") this.lostAt = performance.now();
    });
    this.subscribed = new Promise((resolve) => {
      const sub = this.pusher.subscribe(channel);
      sub.bind("pusher:subscription_succeeded", () => {
        if (this.lostAt) offline.push(performance.now() - this.lostAt);
        this.lostAt = 0;
        void this.catchUp().then(resolve);
      });
      sub.bind("pusher:subscription_error", (e) => console.error("refused", e));
      sub.bind("new-message", (m) => {
        this.messages.set(m.id, m);
        if (m.rev > this.rev + 1) void this.catchUp();
        else this.rev = Math.max(this.rev, m.rev);
      });
      sub.bind("resync-required", () => void this.catchUp());
    });
  }

  /** pusher-js never repeats a failed authorisation, so this does. */
  async authorise({ socketId, channelName }, done) {
    const body = new URLSearchParams({ socket_id: socketId, channel_name: channelName });
    for (let i = 0; i < 20; i++) {
      try {
        return done(null, await fetchJSON(this.user, "/api/pusher/auth", { method: "POST", body }));
      } catch {
        await pause(100);
      }
    }
    done(new Error("no signature"), null);
  }

  async catchUp() {
    for (let more = true; more;) {
      try {
        const page = await fetchJSON(this.user, `/api/beratungen/demo?since=${this.rev}&limit=200`);
        for (const m of page.messages) this.messages.set(m.id, m);
        this.rev = Math.max(this.rev, page.nextSince ?? page.rev);
        more = page.hasMore;
      } catch {
        await pause(100);
      }
    }
  }
}

async function stored() {
  const all = [];
  for (let before = "", more = true; more;) {
    const page = await fetchJSON("patient-1", `/api/beratungen/demo?limit=200${before}`);
    all.unshift(...page.messages.map((m) => m.id));
    more = page.hasMore;
    before = `&before=${page.messages[0]?.seq}`;
  }
  return all;
}

const clients = Array.from({ length: count }, (_, i) => new Client(i));
await Promise.all(clients.map((c) => c.subscribed));
connects.clear();
console.log("ready");
for await (const _ of process.stdin);
const ids = await stored();
for (let i = 0; i < 300 && clients.some((c) => ids.some((id) => !c.messages.has(id))); i++) await pause(100);
for (const c of clients) assert.deepEqual(ids.filter((id) => !c.messages.has(id)), [], "a message is missing");
for (const c of clients) c.pusher.disconnect();
offline.sort((a, b) => a - b);
console.log(JSON.stringify({
  clients: count, messages: ids.length, reconnects: offline.length, p99: Math.round(offline[Math.floor(offline.length * 0.99)] ?? 0),
  max: Math.round(offline.at(-1) ?? 0), connectsPerSecond: Math.max(0, ...connects.values()),
}));
process.exit(0);
