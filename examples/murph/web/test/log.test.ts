import { describe, expect, it } from "vitest";
import {
  hasOlder, isBehind, isParticipant, messageKey, messagesInOrder, newLog, nextQuestion, readByOthers, reduceLog, unreadCount,
  type LogAction, type LogState,
} from "../src/murph";
import { ModelServer, event, otherStudent, patient, student, thin, transportOf } from "./model";

function opened(server: ModelServer): LogState {
  return reduceLog(newLog(patient.id, "demo"), { type: "page", page: server.history() });
}

function apply(state: LogState, ...actions: LogAction[]): LogState {
  return actions.reduce(reduceLog, state);
}

function take(state: LogState, events: readonly { name: never; data: unknown }[] | ReturnType<ModelServer["edit"]>): LogState {
  return apply(state, ...events.map((e): LogAction => ({ type: "event", event: e })));
}

function contents(state: LogState): string[] {
  return messagesInOrder(state).map((m) => m.content);
}

function write(clientMessageId: string, content = clientMessageId): LogAction {
  return { type: "write", message: { clientMessageId, content, createdAt: "2026-01-01T00:00:00Z" } };
}

describe("reduceLog", () => {
  it("shows events in the server's order and keeps rev contiguous", () => {
    const server = new ModelServer();
    let log = opened(server);
    const first = server.send(student, "a").events;
    const second = server.send(student, "b").events;
    log = take(log, second);
    expect(contents(log)).toEqual(["b"]);
    expect(log.rev).toBe(2);
    expect(isBehind(log)).toBe(true);
    log = take(log, first);
    expect(contents(log)).toEqual(["a", "b"]);
    expect(log.rev).toBe(server.rev);
    expect(isBehind(log)).toBe(false);
  });

  it("shows a message once, however often it comes", () => {
    const server = new ModelServer();
    const log = opened(server);
    const { events } = server.send(student, "a");
    const once = take(log, events);
    expect(take(once, events)).toBe(once);
  });

  it("lets the higher rev win, whatever comes last", () => {
    const server = new ModelServer();
    const { message, events } = server.send(student, "draft");
    const edited = server.edit(message.id, "final");
    const log = take(take(opened(new ModelServer()), edited), events);
    expect(contents(log)).toEqual(["final"]);
    expect(log.rev).toBe(server.rev);
    const deleted = server.delete(message.id);
    expect(contents(take(take(log, deleted), edited))).toEqual([""]);
  });

  it("moves a pending message into its place when the answer or the event confirms it, under the same key", () => {
    const server = new ModelServer();
    let log = apply(opened(server), write("k1"), write("k2"));
    const keys = log.pending.map((p) => messageKey({ id: "", senderId: log.me, clientMessageId: p.clientMessageId }, log.me));
    const { message } = server.send(patient, "k1", "k1");
    log = reduceLog(log, { type: "sent", message });
    expect(log.pending.map((p) => p.clientMessageId)).toEqual(["k2"]);
    log = take(log, server.send(patient, "k2", "k2").events);
    expect(log.pending).toEqual([]);
    expect(messagesInOrder(log).map((m) => messageKey(m, log.me))).toEqual(keys);
  });

  it("is not fooled by another person's use of the same key", () => {
    const server = new ModelServer();
    let log = apply(opened(server), write("k1", "mine"));
    log = take(log, server.send(student, "theirs", "k1").events);
    expect(log.pending).toHaveLength(1);
    expect(contents(log)).toEqual(["theirs"]);
  });

  it("confirms a message that had been given up", () => {
    const server = new ModelServer();
    let log = apply(opened(server), write("k1"), { type: "fail", clientMessageId: "k1", error: "no" });
    expect(log.pending[0]).toMatchObject({ state: "failed", error: "no" });
    log = reduceLog(log, { type: "retry", clientMessageId: "k1" });
    expect(log.pending[0]).toEqual({ clientMessageId: "k1", content: "k1", createdAt: "2026-01-01T00:00:00Z", state: "sending" });
    log = apply(log, { type: "fail", clientMessageId: "k1", error: "no" });
    log = take(log, server.send(patient, "k1", "k1").events);
    expect(log.pending).toEqual([]);
    expect(contents(log)).toEqual(["k1"]);
  });

  it("asks for what a thin event only names", () => {
    const server = new ModelServer();
    let log = opened(server);
    const [e] = server.send(student, "long").events;
    if (!e) throw new Error("no event");
    log = take(log, [thin(e)]);
    expect(contents(log)).toEqual([]);
    expect(isBehind(log)).toBe(true);
    const asked = nextQuestion(log);
    log = reduceLog(log, { type: "changes", asked, answer: server.changes(asked.since, asked.serverEpoch) });
    expect(contents(log)).toEqual(["long"]);
    expect(isBehind(log)).toBe(false);
    expect(isBehind(take(log, [thin(e)]))).toBe(false);
  });

  it("asks again when a hint came while an older answer was on its way", () => {
    const server = new ModelServer();
    let log = opened(server);
    const asked = nextQuestion(log);
    const answer = server.changes(asked.since, asked.serverEpoch);
    const [e] = server.send(student, "late").events;
    if (!e) throw new Error("no event");
    log = take(log, [thin(e)]);
    log = reduceLog(log, { type: "changes", asked, answer });
    expect(isBehind(log)).toBe(true);
  });

  it("asks after a call to resync, and is content when nothing has changed", () => {
    let log = take(opened(new ModelServer()), [event("resync-required", { consultationId: "demo", rev: 2 })]);
    expect(isBehind(log)).toBe(true);
    log = reduceLog(log, { type: "unchanged", asked: nextQuestion(log) });
    expect(isBehind(log)).toBe(false);
  });

  it("notices that one of the two events of an acceptance is missing", () => {
    const server = new ModelServer();
    const { student: _, ...requested } = server.consultation;
    server.consultation = { ...requested, status: "REQUESTED" };
    const log = opened(server);
    expect(isBehind(log)).toBe(false);
    const [status, assignment] = server.change({ status: "IN_PROGRESS", student });
    if (!status || !assignment) throw new Error("no events");
    expect(isBehind(take(log, [status]))).toBe(true);
    expect(isBehind(take(log, [assignment]))).toBe(true);
    const both = take(log, [assignment, status]);
    expect(isBehind(both)).toBe(false);
    expect(both.consultation).toMatchObject({ status: "IN_PROGRESS", student });
  });

  it("keeps status and student from going back", () => {
    const server = new ModelServer();
    let log = opened(server);
    const first = server.change({ student: otherStudent });
    const second = server.change({ status: "COMPLETED" });
    log = take(take(log, second), first);
    expect(log.consultation).toMatchObject({ status: "COMPLETED", student: otherStudent });
    const old = new ModelServer().history();
    log = reduceLog(log, { type: "page", page: old });
    expect(log.consultation).toMatchObject({ status: "COMPLETED", student: otherStudent });
  });

  it("merges read marks with the highest", () => {
    const server = new ModelServer();
    let log = opened(server);
    const early = server.markRead(student.id, 3);
    const late = server.markRead(student.id, 7);
    log = take(take(log, late), early);
    expect(log.reads[student.id]?.seq).toBe(7);
  });

  it("applies what came before the first page", () => {
    const server = new ModelServer();
    const page = server.history();
    const log = apply(take(newLog(patient.id, "demo"), server.send(student, "early").events), { type: "page", page });
    expect(contents(log)).toEqual(["early"]);
    expect(log.rev).toBe(server.rev);
  });

  it("loads older pages without a hole, and shows no change below them", () => {
    const server = new ModelServer();
    const sent = Array.from({ length: 12 }, (_, i) => server.send(student, `${i}`).message);
    let log = opened(server);
    expect(contents(log)).toEqual(["7", "8", "9", "10", "11"]);
    expect(hasOlder(log)).toBe(true);
    log = take(log, server.edit(sent[0]?.id ?? "", "0 edited"));
    expect(contents(log)[0]).toBe("7");
    expect(log.rev).toBe(server.rev);
    const before = log.windowStart;
    // Further down than the window reaches.
    expect(reduceLog(log, { type: "older", before: before - 2, epoch: 0, page: server.history(before - 2) })).toBe(log);
    log = reduceLog(log, { type: "older", before, epoch: 0, page: server.history(before) });
    log = reduceLog(log, { type: "older", before: log.windowStart, epoch: 0, page: server.history(log.windowStart) });
    expect(contents(log)).toEqual(["0 edited", ...Array.from({ length: 11 }, (_, i) => `${i + 1}`)]);
    expect(hasOlder(log)).toBe(false);
  });

  it("starts over when it is too far behind, and keeps what is newer than the answer", () => {
    const server = new ModelServer();
    server.maxBehind = 10;
    server.send(student, "first");
    let log = apply(opened(server), write("k1"));
    for (let i = 0; i < 20; i++) server.send(student, `${i}`);
    const asked = nextQuestion(log);
    const answer = server.changes(asked.since, asked.serverEpoch);
    log = take(log, server.send(student, "newest").events);
    log = reduceLog(log, { type: "changes", asked, answer });
    expect(contents(log)).toEqual(["15", "16", "17", "18", "19", "newest"]);
    expect(log.rev).toBe(server.rev);
    expect(log.pending).toHaveLength(1);
    expect(hasOlder(log)).toBe(true);
    // An answer to a question of the time before is worthless now.
    expect(reduceLog(log, { type: "changes", asked, answer })).toBe(log);
  });

  it("forgets what a restored store no longer has", () => {
    const server = new ModelServer();
    const backup = server.copy();
    server.send(student, "lost");
    let log = opened(server);
    server.restore(backup);
    const asked = nextQuestion(log);
    log = reduceLog(log, { type: "changes", asked, answer: server.changes(asked.since, asked.serverEpoch) });
    expect(contents(log)).toEqual([]);
    expect(log.rev).toBe(server.rev);
    expect(isBehind(log)).toBe(true);
  });

  it("starts over with a restored store that has grown past what it knows", () => {
    const server = new ModelServer();
    const backup = server.copy();
    server.send(student, "lost");
    server.markRead(student.id, 3);
    let log = opened(server);
    server.restore(backup);
    server.send(student, "new");
    server.send(student, "newer");
    // A page of the new past does not mix with the old one, and is a reason to ask.
    for (const action of [
      { type: "page", page: server.history() },
      { type: "older", before: 9, epoch: log.epoch, page: server.history(9) },
    ] as const) {
      const next = reduceLog(log, action);
      expect([contents(next), isBehind(next)]).toEqual([["lost"], true]);
    }
    const asked = nextQuestion(log);
    log = reduceLog(log, { type: "changes", asked, answer: server.changes(asked.since, asked.serverEpoch) });
    expect([contents(log), log.rev, log.reads]).toEqual([["new", "newer"], server.rev, {}]);
    const again = nextQuestion(log);
    expect(again.serverEpoch).toBe(server.epoch);
    log = reduceLog(log, { type: "changes", asked: again, answer: server.changes(again.since, again.serverEpoch) });
    expect([contents(log), isBehind(log)]).toEqual([["new", "newer"], false]);
  });

  it("ignores what is not of this consultation or makes no sense", () => {
    const server = new ModelServer();
    const log = opened(server);
    for (const data of [null, 7, "x", [], {}, { consultationId: "other", rev: 9 }]) {
      expect(take(log, [event("new-message", data)])).toBe(log);
    }
    // A broken event of this consultation is a reason to ask, not to fail.
    for (const name of ["new-message", "status-update", "consultation-updated"] as const) {
      expect(isBehind(take(log, [event(name, { consultationId: "demo", status: 1, student: "x" })]))).toBe(true);
    }
  });

  it("takes up what was unsent before a reload, unless the server has it", () => {
    const server = new ModelServer();
    server.send(patient, "stored", "k1");
    const pending = ["k1", "k2"].map((k) => ({ clientMessageId: k, content: k, createdAt: "", state: "sending" as const }));
    let log = reduceLog(opened(server), { type: "restore", pending });
    expect(log.pending.map((p) => p.clientMessageId)).toEqual(["k2"]);
    expect(reduceLog(log, { type: "restore", pending })).toBe(log);
    log = apply(reduceLog(newLog(patient.id, "demo"), { type: "restore", pending }), { type: "page", page: server.history() });
    expect(log.pending.map((p) => p.clientMessageId)).toEqual(["k2"]);
  });

  it("lets go of what is far above the end, and can load it again", () => {
    const server = new ModelServer();
    for (let i = 0; i < 40; i++) server.send(student, `${i}`);
    let log = opened(server);
    const before = log.windowStart;
    const late = { type: "older", before, epoch: 0, page: server.history(before) } as const;
    while (hasOlder(log)) {
      log = reduceLog(log, { type: "older", before: log.windowStart, epoch: 0, page: server.history(log.windowStart) });
    }
    expect(reduceLog(log, { type: "trim", keep: 20 })).toBe(log);
    log = reduceLog(log, { type: "trim", keep: 10 });
    expect(contents(log)).toEqual(Array.from({ length: 10 }, (_, i) => `${i + 30}`));
    expect([log.messages.size, hasOlder(log), log.rev]).toEqual([10, true, server.rev]);
    // A page from further up would leave a hole.
    expect(reduceLog(log, { type: "older", before: before - 20, epoch: 0, page: server.history(before - 20) })).toBe(log);
    expect(late.page.messages).toHaveLength(5);
    log = reduceLog(log, { type: "older", before: log.windowStart, epoch: 0, page: server.history(log.windowStart) });
    expect(contents(log)).toHaveLength(15);
  });

  it("counts what is not read, and knows what others have read", () => {
    const server = new ModelServer();
    const first = server.send(student, "a").message;
    const second = server.send(student, "b").message;
    server.send(patient, "mine");
    let log = opened(server);
    expect(unreadCount(log)).toBe(2);
    log = reduceLog(log, { type: "read", userId: patient.id, mark: { seq: first.seq, at: "" } });
    expect(unreadCount(log)).toBe(1);
    log = take(log, server.delete(second.id));
    expect(unreadCount(log)).toBe(0);
    expect(readByOthers(log)).toBe(0);
    expect(readByOthers(take(log, server.markRead(student.id, 5)))).toBe(5);
  });

  it("knows whose consultation it is", () => {
    const server = new ModelServer();
    const log = reduceLog(newLog(student.id, "demo"), { type: "page", page: server.history() });
    expect(isParticipant(newLog(student.id, "demo"))).toBe(true);
    expect(isParticipant(log)).toBe(true);
    expect(isParticipant(take(log, server.change({ student: otherStudent })))).toBe(false);
  });

  it("takes the channels of every answer, unless a newer one has named others", () => {
    const server = new ModelServer();
    for (let i = 0; i < 8; i++) server.send(student, `${i}`);
    const log = opened(server);
    expect(newLog(patient.id, "demo").transport).toBeNull();
    expect(log.transport).toEqual(transportOf(1));
    const { windowStart: before, epoch } = log;
    const asked = nextQuestion(log);
    const answers = (): LogAction[] => [
      { type: "page", page: server.history() },
      { type: "older", before, epoch, page: server.history(before) },
      // It does not touch the window, so its messages are dropped.
      { type: "older", before: before - 2, epoch, page: server.history(before - 2) },
      { type: "changes", asked, answer: server.changes(asked.since) },
    ];
    const old = answers();
    server.change({ student: otherStudent });
    for (const answer of answers()) {
      const moved = reduceLog(log, answer);
      expect(moved.transport).toEqual(transportOf(2));
      for (const late of old) expect(reduceLog(moved, late).transport).toBe(moved.transport);
    }
  });

  it("takes the channels of a store that was put back, and none that are known to be from before", () => {
    const server = new ModelServer();
    for (let i = 0; i < 8; i++) server.send(student, `${i}`);
    const backup = server.copy();
    server.change({ student: otherStudent });
    let log = opened(server);
    const late = { type: "older", before: log.windowStart, epoch: log.epoch, page: server.history(log.windowStart) } as const;
    server.restore(backup);
    const asked = nextQuestion(log);
    log = reduceLog(log, { type: "changes", asked, answer: server.changes(asked.since) });
    expect(log.transport).toEqual(transportOf(1));
    expect(reduceLog(log, late).transport).toEqual(transportOf(1));
  });
});
