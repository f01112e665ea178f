import type {
  ChangesPage, Consultation, HistoryPage, LogEvent, LogEventName, Message, Person, ReadMark, Status, Transport,
} from "../src/murph";

export const patient: Person = { id: "patient-1", role: "PATIENT", firstName: "Paula", lastName: "Berger" };
export const student: Person = { id: "student-1", role: "STUDENT", firstName: "Stefan", lastName: "Vogt" };
export const otherStudent: Person = { id: "student-2", role: "STUDENT", firstName: "Sofia", lastName: "Lenz" };

/** The channels of an audience, under the names that the server gives them. */
export function transportOf(audience: number): Transport {
  const number = audience > 1 ? `.${audience}` : "";
  return {
    driver: "websocket", key: "k",
    channel: `private-consultation${number}-demo`, presenceChannel: `presence-consultation${number}-demo`,
  };
}

const time = "2026-01-02T03:04:05.000000Z";

/** A server as the contract describes it: one counter, a row for each message, answers from one snapshot. */
export class ModelServer {
  consultation: Consultation = {
    id: "demo", status: "IN_PROGRESS", topic: "Topic", patient, student, rev: 2, createdAt: time, updatedAt: time,
  };
  /** The number in the channel names. It is raised when another student takes over. */
  audience = 1;
  readonly rows = new Map<string, Message>();
  readonly read = new Map<string, ReadMark>();
  epoch = "e1";
  /** As a store's limit on how far behind a client may continue. */
  maxBehind = 500;
  #ids = 0;

  get rev(): number {
    return this.consultation.rev;
  }

  send(sender: Person, content: string, clientMessageId?: string): { message: Message; events: LogEvent[] } {
    const known = [...this.rows.values()].find((m) => m.senderId === sender.id && m.clientMessageId === clientMessageId);
    if (clientMessageId !== undefined && known) return { message: known, events: [] };
    const rev = this.#next();
    const message: Message = {
      id: `m${++this.#ids}`, consultationId: "demo", senderId: sender.id, content, createdAt: time, sender, seq: rev, rev,
      ...(clientMessageId !== undefined && { clientMessageId }),
    };
    this.rows.set(message.id, message);
    return { message, events: [event("new-message", message)] };
  }

  edit(id: string, content: string): LogEvent[] {
    const m = { ...this.#row(id), content, editedAt: time, rev: this.#next() };
    this.rows.set(id, m);
    return [event("message-updated", m)];
  }

  delete(id: string): LogEvent[] {
    const m = { ...this.#row(id), content: "", deletedAt: time, rev: this.#next() };
    this.rows.set(id, m);
    return [event("message-deleted", m)];
  }

  /** A change of status, of the assigned student, or of both, which then are two events with one rev. */
  change(to: { status?: Status; student?: Person }): LogEvent[] {
    const previousStatus = this.consultation.status;
    const rev = this.#next();
    if (to.student && to.student.id !== this.consultation.student?.id) this.audience++;
    this.consultation = { ...this.consultation, ...to, rev };
    const events: LogEvent[] = [];
    if (to.status) events.push(event("status-update", { consultationId: "demo", status: to.status, previousStatus, rev, at: time }));
    if (to.student) events.push(event("consultation-updated", { consultationId: "demo", student: to.student, rev }));
    return events;
  }

  markRead(userId: string, seq: number): LogEvent[] {
    if (seq <= (this.read.get(userId)?.seq ?? 0)) return [];
    this.read.set(userId, { seq, at: time });
    return [event("messages-read", { consultationId: "demo", userId, seq, at: time })];
  }

  history(before = Infinity, limit = 5): HistoryPage {
    const below = this.inOrder().filter((m) => m.seq < before);
    return { ...this.#header(), messages: below.slice(-limit), hasMore: below.length > limit };
  }

  changes(since: number, epoch = "", limit = 3): ChangesPage {
    if ((epoch !== "" && epoch !== this.epoch) || since > this.rev || this.rev - since > this.maxBehind) {
      return { ...this.history(), nextSince: this.rev, reset: true };
    }
    const changed = [...this.rows.values()].filter((m) => m.rev > since).sort((a, b) => a.rev - b.rev);
    const hasMore = changed.length > limit;
    const messages = changed.slice(0, limit);
    return { ...this.#header(), messages, hasMore, nextSince: hasMore ? (messages.at(-1)?.rev ?? since) : this.rev };
  }

  inOrder(): Message[] {
    return [...this.rows.values()].sort((a, b) => a.seq - b.seq);
  }

  /** Puts the store back to a copy made with {@link copy}, and says so with another epoch. */
  restore(from: ModelServer): void {
    this.epoch += "x";
    this.consultation = from.consultation;
    this.audience = from.audience;
    this.rows.clear();
    for (const [id, m] of from.rows) this.rows.set(id, m);
    this.read.clear();
    for (const [id, mark] of from.read) this.read.set(id, mark);
  }

  copy(): ModelServer {
    const c = new ModelServer();
    c.restore(this);
    return c;
  }

  #header() {
    const { consultation, rev, epoch } = this;
    return { consultation, rev, epoch, read: Object.fromEntries(this.read), transport: transportOf(this.audience) };
  }

  #row(id: string): Message {
    const m = this.rows.get(id);
    if (!m) throw new Error(`no message ${id}`);
    return m;
  }

  #next(): number {
    this.consultation = { ...this.consultation, rev: this.consultation.rev + 1 };
    return this.consultation.rev;
  }
}

export function event(name: LogEventName, data: unknown): LogEvent {
  return { name, data };
}

/** The form in which a message travels that is too large for the transport. */
export function thin(e: LogEvent): LogEvent {
  const { consultationId, id, seq, rev } = e.data as Message;
  return { name: e.name, data: { consultationId, id, seq, rev, thin: true } };
}

/** A small generator of random numbers (mulberry32), so that a failing seed can be run again. */
export function random(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
