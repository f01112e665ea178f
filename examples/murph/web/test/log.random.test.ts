import { describe, expect, it } from "vitest";
import {
  isBehind, messageKey, messagesInOrder, newLog, nextQuestion, reduceLog, type LogAction, type LogEvent, type LogState,
} from "../src/murph";
import { ModelServer, otherStudent, patient, random, student, thin, transportOf } from "./model";

const runs = Number(process.env["MURPH_TRACES"] ?? 400);

/**
 * One life of a client beside a server: both people write, change and delete, while events are lost, doubled, reordered,
 * delayed and thinned, answers arrive late, answers are lost, sends are repeated, and the store is now and then put back.
 */
class World {
  readonly server = new ModelServer();
  readonly #rand: () => number;
  readonly #onTheWay: LogAction[] = [];
  #backup = this.server.copy();
  #keys = 0;
  log: LogState = newLog(patient.id, "demo");

  constructor(seed: number, private readonly lossless: boolean) {
    this.#rand = random(seed);
    this.server.maxBehind = 40;
    for (let i = this.#below(15); i > 0; i--) this.server.send(student, `old ${i}`);
    this.deliver({ type: "page", page: this.server.history() });
  }

  step(): void {
    const r = this.#rand();
    const ids = [...this.server.rows.keys()];
    const some = ids[this.#below(ids.length)];
    if (r < 0.25) this.#broadcast(this.server.send(student, `s ${this.#keys++}`).events);
    else if (r < 0.4) this.#write();
    else if (r < 0.5 && some) this.#broadcast(this.server.edit(some, `edit ${this.#keys++}`));
    else if (r < 0.55 && some) this.#broadcast(this.server.delete(some));
    else if (r < 0.6) this.#broadcast(this.server.markRead(this.#pick([patient.id, student.id]), this.#below(this.server.rev + 1)));
    else if (r < 0.65) this.#broadcast(this.server.change({ student: this.#pick([student, otherStudent]) }));
    else if (r < 0.66 && !this.lossless) this.#backup = this.server.copy();
    else if (r < 0.665 && !this.lossless) this.#restore();
    else if (r < 0.75 && isBehind(this.log) && !this.lossless) this.ask();
    else if (r < 0.8 && this.log.windowStart > 0) this.#older();
    else this.#arrive();
  }

  ask(): void {
    const asked = nextQuestion(this.log);
    const answer = this.server.changes(asked.since, asked.serverEpoch, 1 + this.#below(6));
    if (this.#rand() < 0.2) return;
    this.#onTheWay.push({ type: "changes", asked, answer });
  }

  arriveAll(): void {
    while (this.#onTheWay.length > 0) this.#arrive();
  }

  /** What the session does when all is quiet: it asks until the server has nothing more to say. */
  catchUp(): void {
    for (let turn = 0; turn < 200; turn++) {
      const asked = nextQuestion(this.log);
      const answer = this.server.changes(asked.since, asked.serverEpoch);
      this.deliver({ type: "changes", asked, answer });
      if (!answer.hasMore && !answer.reset && !isBehind(this.log)) return;
    }
    throw new Error("it never caught up");
  }

  deliver(action: LogAction): void {
    this.log = reduceLog(this.log, action);
    this.#checkAlways();
  }

  #write(): void {
    const clientMessageId = `k${this.#keys++}`;
    this.deliver({ type: "write", message: { clientMessageId, content: clientMessageId, createdAt: "" } });
    const attempts = 1 + this.#below(3);
    for (let i = 0; i < attempts; i++) {
      const { message, events } = this.server.send(patient, clientMessageId, clientMessageId);
      this.#broadcast(events);
      // The answer is lost, or comes, perhaps much later.
      if (i === attempts - 1 || this.#rand() < 0.5) this.#onTheWay.push({ type: "sent", message });
    }
  }

  /** The store is put back to its backup while all clients are cut off; they ask when they return. */
  #restore(): void {
    this.#onTheWay.length = 0;
    this.catchUp();
    this.server.restore(this.#backup);
    for (let i = this.#below(6); i > 0; i--) this.server.send(student, "written before they return");
    this.catchUp();
  }

  #older(): void {
    const before = this.log.windowStart;
    this.#onTheWay.push({ type: "older", before, epoch: this.log.epoch, page: this.server.history(before) });
  }

  #broadcast(events: readonly LogEvent[]): void {
    for (const event of events) {
      if (!this.lossless && this.#rand() < 0.25) continue;
      const isMessage = event.name.startsWith("new-message") || event.name.startsWith("message-");
      const form = !this.lossless && isMessage && this.#rand() < 0.1 ? thin(event) : event;
      this.#onTheWay.push({ type: "event", event: form });
      if (this.#rand() < 0.15) this.#onTheWay.push({ type: "event", event: form });
    }
  }

  #arrive(): void {
    const at = this.#rand() < 0.6 ? 0 : this.#below(this.#onTheWay.length);
    const [action] = this.#onTheWay.splice(at, 1);
    if (action) this.deliver(action);
  }

  #checkAlways(): void {
    const shown = messagesInOrder(this.log);
    for (let i = 1; i < shown.length; i++) {
      if ((shown[i - 1]?.seq ?? 0) >= (shown[i]?.seq ?? 0)) throw new Error("out of order");
    }
    const keys = [
      ...shown.map((m) => messageKey(m, this.log.me)),
      ...this.log.pending.map((p) => messageKey({ id: "", senderId: this.log.me, clientMessageId: p.clientMessageId }, this.log.me)),
    ];
    if (new Set(keys).size !== keys.length) throw new Error("a message is shown twice");
  }

  #below(n: number): number {
    return Math.floor(this.#rand() * n);
  }

  #pick<T>(of: readonly [T, ...T[]]): T {
    return of[this.#below(of.length)] ?? of[0];
  }
}

function expectConverged({ log, server }: World): void {
  expect(log.rev).toBe(server.rev);
  expect(messagesInOrder(log)).toEqual(server.inOrder().filter((m) => m.seq >= log.windowStart));
  expect(log.consultation?.status).toBe(server.consultation.status);
  expect(log.consultation?.student).toEqual(server.consultation.student);
  expect(log.reads).toEqual(Object.fromEntries(server.read));
}

describe("reduceLog on random traces", () => {
  it(`converges after ${runs} lives with lost, doubled, reordered, late and thin events`, () => {
    for (let seed = 1; seed <= runs; seed++) {
      const world = new World(seed, false);
      try {
        for (let i = 0; i < 120; i++) world.step();
        world.arriveAll();
        world.catchUp();
        expectConverged(world);
        expect(world.log.transport).toEqual(transportOf(world.server.audience));
      } catch (err) {
        throw new Error(`seed ${seed}`, { cause: err });
      }
    }
  });

  it("needs no catch-up when no event is lost, in whatever order they come", () => {
    for (let seed = 1; seed <= runs; seed++) {
      const world = new World(seed, true);
      try {
        for (let i = 0; i < 80; i++) world.step();
        world.arriveAll();
        expect(isBehind(world.log)).toBe(false);
        expect(world.log.pending).toEqual([]);
        expectConverged(world);
      } catch (err) {
        throw new Error(`seed ${seed}`, { cause: err });
      }
    }
  });
});
