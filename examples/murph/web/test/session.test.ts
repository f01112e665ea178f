import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Api, ConsultationSession, messagesInOrder, type SessionOptions } from "../src/murph";
import { Backend } from "./backend";
import { otherStudent, patient, student, transportOf } from "./model";

let backend: Backend;
let stop: (() => void) | undefined;

beforeEach(() => {
  vi.useFakeTimers();
  vi.spyOn(Math, "random").mockReturnValue(0.5);
  backend = new Backend();
});

afterEach(() => {
  stop?.();
  sessionStorage.clear();
  vi.useRealTimers();
});

const settled = () => vi.advanceTimersByTimeAsync(0);

async function open(options: Partial<SessionOptions> = {}): Promise<ConsultationSession> {
  const api = new Api({ baseUrl: "http://chat.example/", fetch: backend.fetch });
  const session = new ConsultationSession({ api, me: patient.id, consultationId: "demo", describe: String, ...options });
  stop = session.start();
  await settled();
  return session;
}

function shown(session: ConsultationSession): string[] {
  return messagesInOrder(session.getState().log).map((m) => m.content);
}

describe("asking", () => {
  it("loads the newest page, and after each subscription asks for what was missed", async () => {
    backend.server.send(student, "old");
    const session = await open();
    expect(shown(session)).toEqual(["old"]);
    expect(session.getState().log.transport?.channel).toBe("private-consultation-demo");
    backend.server.send(student, "between page and subscription");
    session.catchUp();
    await settled();
    expect(shown(session)).toEqual(["old", "between page and subscription"]);
    expect(backend.gets()).toEqual(["", "?since=3&epoch=e1"]);
  });

  it("asks page by page until there is no more", async () => {
    const session = await open();
    for (let i = 0; i < 7; i++) backend.server.send(student, `${i}`);
    session.catchUp();
    await settled();
    expect(shown(session)).toHaveLength(7);
    expect(backend.gets()).toEqual(["", "?since=2&epoch=e1", "?since=5&epoch=e1", "?since=8&epoch=e1"]);
  });

  it("asks once more when a reason comes while it is asking", async () => {
    const session = await open();
    session.catchUp();
    session.catchUp();
    session.catchUp();
    await settled();
    expect(backend.gets()).toHaveLength(3);
  });

  it("asks every 10 s without events and every 45 s with them, and takes 304 for an answer", async () => {
    const session = await open();
    await vi.advanceTimersByTimeAsync(10_000);
    expect(backend.gets()).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(backend.gets()).toHaveLength(3);
    expect(backend.asked.at(-1)?.headers.get("If-None-Match")).toBe('"rev-2"');
    session.setLink(true, "1.1");
    await vi.advanceTimersByTimeAsync(44_000);
    expect(backend.gets()).toHaveLength(3);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(backend.gets()).toHaveLength(4);
    session.setLink(false, undefined);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(backend.gets()).toHaveLength(5);
  });

  it("asks no hidden page's questions", async () => {
    await open();
    vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden");
    await vi.advanceTimersByTimeAsync(120_000);
    expect(backend.gets()).toHaveLength(1);
  });

  it("gives a gap 300 ms to close by itself", async () => {
    const session = await open();
    const first = backend.server.send(student, "a").events[0];
    const second = backend.server.send(student, "b").events[0];
    session.handleEvent("new-message", second?.data);
    await vi.advanceTimersByTimeAsync(200);
    session.handleEvent("new-message", first?.data);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(backend.gets()).toHaveLength(1);
    expect(shown(session)).toEqual(["a", "b"]);

    backend.server.send(student, "lost");
    session.handleEvent("new-message", backend.server.send(student, "d").events[0]?.data);
    await vi.advanceTimersByTimeAsync(299);
    expect(shown(session)).toEqual(["a", "b", "d"]);
    await vi.advanceTimersByTimeAsync(1);
    expect(shown(session)).toEqual(["a", "b", "lost", "d"]);
  });

  it("asks ever more slowly about a gap that no answer closes", async () => {
    const session = await open();
    const stale = backend.server.copy();
    session.handleEvent("new-message", { ...backend.server.send(student, "x").message, seq: 9, rev: 9 });
    backend.server.restore(stale);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(backend.gets().length).toBeLessThan(14);
  });

  it("tries again after a failure, and says whether the server can be reached", async () => {
    let down = true;
    backend.intercept = () => (down ? Promise.reject(new TypeError("network")) : undefined);
    const session = await open();
    expect(session.getState().reachable).toBe(false);
    await vi.advanceTimersByTimeAsync(1_000 + 2_000);
    expect(backend.gets()).toHaveLength(3);
    down = false;
    session.wake();
    await settled();
    expect(session.getState()).toMatchObject({ reachable: true, trouble: null });
    expect(session.getState().log.loaded).toBe(true);
  });

  it.each([
    [404, "gone"],
    [403, "gone"],
    [401, "unauthenticated"],
  ])("takes %i for an answer: %s", async (status, trouble) => {
    backend.intercept = () => Response.json({}, { status });
    const session = await open();
    expect(session.getState().trouble).toBe(trouble);
    await vi.advanceTimersByTimeAsync(300_000);
    expect(backend.gets()).toHaveLength(1);
  });

  it("stops when the last user has gone, as under StrictMode, and starts again", async () => {
    const session = await open();
    const again = session.start();
    stop?.();
    stop?.();
    await vi.advanceTimersByTimeAsync(10_000);
    const asked = backend.gets().length;
    expect(asked).toBeGreaterThan(1);
    again();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(backend.gets()).toHaveLength(asked);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("loads older history", async () => {
    for (let i = 0; i < 8; i++) backend.server.send(student, `${i}`);
    const session = await open();
    expect(shown(session)).toHaveLength(5);
    await Promise.all([session.loadOlder(), session.loadOlder()]);
    expect(shown(session)).toHaveLength(8);
    expect(backend.gets()).toEqual(["", "?before=6"]);
  });
});

describe("following the channels", () => {
  const channel = (session: ConsultationSession) => session.getState().log.transport?.channel;
  const resync = { consultationId: "demo", rev: 0 };

  it("asks after a resync without a rev and moves to the channels of the answer", async () => {
    const session = await open();
    backend.server.change({ student: otherStudent });
    backend.server.send(otherStudent, "from the new student");
    session.handleEvent("resync-required", resync);
    await vi.advanceTimersByTimeAsync(300);
    expect(session.getState().log.transport).toEqual(transportOf(2));
    expect(shown(session)).toEqual(["from the new student"]);
    expect(session.getState().log.consultation?.student?.id).toBe(otherStudent.id);
  });

  it("moves with the next regular question when the resync is lost", async () => {
    const session = await open();
    session.setLink(true, "1.1");
    backend.server.change({ student: otherStudent });
    await vi.advanceTimersByTimeAsync(45_000);
    expect(channel(session)).toBe(transportOf(2).channel);
  });

  it("moves when a page of older history names other channels", async () => {
    for (let i = 0; i < 8; i++) backend.server.send(student, `${i}`);
    const session = await open();
    backend.server.change({ student: otherStudent });
    await session.loadOlder();
    expect(channel(session)).toBe(transportOf(2).channel);
  });

  it("does not move back for a page that was read before the change", async () => {
    for (let i = 0; i < 8; i++) backend.server.send(student, `${i}`);
    const session = await open();
    const before = backend.server.history(6);
    let release: (r: Response) => void = () => undefined;
    backend.intercept = ({ url }) =>
      url.searchParams.has("before") ? new Promise<Response>((resolve) => (release = resolve)) : undefined;
    const loading = session.loadOlder();
    backend.server.change({ student: otherStudent });
    session.catchUp();
    await settled();
    release(Response.json(before));
    await loading;
    expect(channel(session)).toBe(transportOf(2).channel);
    expect(shown(session)).toHaveLength(8);
  });

  it("names no channel of a consultation that is no longer the person's", async () => {
    const session = await open();
    backend.intercept = () => Response.json({}, { status: 404 });
    session.catchUp();
    await settled();
    expect(session.getState().trouble).toBe("replaced");
    expect(session.getState().log.transport).toBeNull();
  });
});

describe("sending", () => {
  it("shows a message at once and confirms it with the answer", async () => {
    const session = await open();
    session.setLink(true, "1.7");
    session.send("hello");
    expect(session.getState().log.pending).toMatchObject([{ content: "hello", state: "sending" }]);
    await settled();
    expect(session.getState().log.pending).toEqual([]);
    expect(shown(session)).toEqual(["hello"]);
    expect(backend.posts()[0]?.body).toMatchObject({ consultationId: "demo", content: "hello", socketId: "1.7" });
    expect(backend.posts()[0]?.body["clientMessageId"]).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
  });

  it("repeats with the same key after 1, 2, 4, 8 and 16 s, then gives up", async () => {
    const onSendFailed = vi.fn();
    const session = await open({ onSendFailed, describe: () => "no luck" });
    backend.intercept = ({ method }) => (method === "POST" ? new Response("", { status: 503 }) : undefined);
    session.send("hello");
    const counts: number[] = [];
    for (const s of [0, 1, 2, 4, 8, 16]) {
      await vi.advanceTimersByTimeAsync(s * 1_000);
      counts.push(backend.posts().length);
    }
    expect(counts).toEqual([1, 2, 3, 4, 5, 6]);
    expect(new Set(backend.posts().map((p) => p.body["clientMessageId"])).size).toBe(1);
    expect(session.getState().log.pending).toMatchObject([{ state: "failed", error: "no luck" }]);
    expect(onSendFailed).toHaveBeenCalledExactlyOnceWith("no luck");

    backend.intercept = () => undefined;
    session.retry(session.getState().log.pending[0]?.clientMessageId ?? "");
    await settled();
    expect(shown(session)).toEqual(["hello"]);
    expect(new Set(backend.posts().map((p) => p.body["clientMessageId"])).size).toBe(1);
  });

  it.each([408, 425, 429, 500, 503])("repeats after %i", async (status) => {
    const session = await open();
    let failures = 3;
    backend.intercept = ({ method }) => (method === "POST" && failures-- > 0 ? new Response("", { status }) : undefined);
    session.send("hello");
    await vi.advanceTimersByTimeAsync(7_000);
    expect(shown(session)).toEqual(["hello"]);
    expect(backend.server.rows.size).toBe(1);
  });

  it("waits as long as the server asks", async () => {
    const session = await open();
    let failures = 1;
    backend.intercept = ({ method }) =>
      method === "POST" && failures-- > 0 ? new Response("", { status: 429, headers: { "Retry-After": "5" } }) : undefined;
    session.send("hello");
    await vi.advanceTimersByTimeAsync(4_999);
    expect(backend.posts()).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(shown(session)).toEqual(["hello"]);
  });

  it.each([400, 403, 409, 413])("does not repeat after %i, and looks what has become of the consultation", async (status) => {
    const onSendFailed = vi.fn();
    const session = await open({ onSendFailed });
    backend.intercept = ({ method }) => (method === "POST" ? Response.json({ code: "x" }, { status }) : undefined);
    backend.server.change({ status: "COMPLETED" });
    session.send("hello");
    await settled();
    expect(backend.posts()).toHaveLength(1);
    expect(onSendFailed).toHaveBeenCalledOnce();
    expect(session.getState().log.consultation?.status).toBe("COMPLETED");
    session.discard(session.getState().log.pending[0]?.clientMessageId ?? "");
    expect(session.getState().log.pending).toEqual([]);
  });

  it("shows a message once whose answer was lost, and does not send it again once the event has confirmed it", async () => {
    const session = await open();
    backend.intercept = ({ method, body }) => {
      if (method !== "POST") return undefined;
      const { events } = backend.server.send(patient, body["content"] as string, body["clientMessageId"] as string);
      session.handleEvent("new-message", events[0]?.data);
      return Promise.reject(new TypeError("network"));
    };
    session.send("hello");
    await vi.advanceTimersByTimeAsync(60_000);
    expect(backend.posts()).toHaveLength(1);
    expect(shown(session)).toEqual(["hello"]);
    expect(session.getState().log.pending).toEqual([]);
  });

  it("keeps the order in which messages were written", async () => {
    const session = await open();
    let failures = 2;
    backend.intercept = ({ method }) => (method === "POST" && failures-- > 0 ? new Response("", { status: 500 }) : undefined);
    for (const text of ["1", "2", "3"]) session.send(text);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(shown(session)).toEqual(["1", "2", "3"]);
  });

  it("does not wait any longer when the network is back", async () => {
    const session = await open();
    let down = true;
    backend.intercept = ({ method }) => (method === "POST" && down ? Promise.reject(new TypeError("network")) : undefined);
    session.send("hello");
    await vi.advanceTimersByTimeAsync(3_500);
    down = false;
    session.wake();
    await settled();
    expect(shown(session)).toEqual(["hello"]);
  });
});

describe("changing", () => {
  it("edits and deletes the version that the person has seen", async () => {
    const session = await open();
    const { message } = backend.server.send(patient, "draft");
    session.catchUp();
    await settled();
    await session.edit({ id: message.id, rev: message.rev }, "final");
    expect(shown(session)).toEqual(["final"]);
    await expect(session.remove({ id: message.id, rev: message.rev })).rejects.toMatchObject({
      status: 412, problem: { rev: message.rev + 1 },
    });
    await settled();
    await session.remove({ id: message.id, rev: message.rev + 1 });
    expect(session.getState().log.messages.get(message.id)).toMatchObject({ content: "", deletedAt: expect.any(String) as string });
  });

  it("reports what was read and believes the answer", async () => {
    const session = await open();
    const { message } = backend.server.send(student, "hello");
    session.catchUp();
    await settled();
    session.look(message.seq);
    await vi.advanceTimersByTimeAsync(500);
    expect(backend.posts().map((p) => [p.url.pathname, p.body["seq"]])).toEqual([["/api/beratungen/demo/gelesen", message.seq]]);
    expect(session.getState().log.reads[patient.id]?.seq).toBe(message.seq);
  });

  it("sends after a reload what was not sent before it, with the same key", async () => {
    backend.intercept = ({ method }) => (method === "POST" ? Promise.reject(new TypeError("network")) : undefined);
    const before = await open();
    before.send("hello");
    await settled();
    stop?.();
    const key = backend.posts()[0]?.body["clientMessageId"];
    backend.intercept = () => undefined;
    const session = await open();
    await settled();
    expect(shown(session)).toEqual(["hello"]);
    expect(backend.posts().at(-1)?.body["clientMessageId"]).toBe(key);
    expect(backend.server.rows.size).toBe(1);
    expect(sessionStorage.length).toBe(0);
  });

  it.each(["event", "answer"])("leaves nothing of a consultation that is no longer the person's: %s", async (by) => {
    const session = new ConsultationSession({
      api: new Api({ baseUrl: "http://chat.example/", fetch: backend.fetch }), me: student.id, consultationId: "demo", describe: String,
    });
    backend.server.send(patient, "secret");
    stop = session.start();
    await settled();
    expect(shown(session)).toEqual(["secret"]);
    const [event] = backend.server.change({ student: otherStudent });
    backend.intercept = () => Response.json({}, { status: 404 });
    if (by === "event") session.handleEvent("consultation-updated", event?.data);
    else session.catchUp();
    await settled();
    expect(session.getState()).toMatchObject({ trouble: "replaced", log: { loaded: false } });
    expect(shown(session)).toEqual([]);
    session.wake();
    await settled();
    expect(session.getState().trouble).toBe("replaced");
    backend.server.change({ student });
    backend.intercept = () => undefined;
    session.wake();
    await settled();
    expect(session.getState().trouble).toBeNull();
    expect(shown(session)).toEqual(["secret"]);
  });
});
