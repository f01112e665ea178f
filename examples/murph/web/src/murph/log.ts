import type { ChangesPage, Consultation, HistoryPage, LogEventName, Message, ReadMark, Reads } from "./types";
import { asNumber, asRecord, isMessage, isNumber, isPerson, isStatus } from "./wire";

/**
 * The log of one consultation as a pure function: what the server answers, what the channel tells and what the person
 * writes go in as actions, the state comes out. No React, no network, no clock.
 *
 * The server raises one counter, `rev`, with every visible change. So whatever is lost, doubled, reordered or late:
 *  - of two forms of a message the one with the higher rev wins;
 *  - `rev` says up to where the state is complete, and a number above it that is missing is a gap: see {@link isBehind};
 *  - the order of display is `seq`, which is the same for everybody, and never a time;
 *  - the answer to `?since=<rev>` closes every gap, because it holds each row that changed, in its current form.
 */
export interface LogState {
  readonly me: string;
  readonly consultationId: string;
  /** Raised when the server makes the client start over. An answer to a question of an older epoch is dropped. */
  readonly epoch: number;
  readonly loaded: boolean;
  /** Every change up to and including this one is in the state. */
  readonly rev: number;
  /** Changes above rev that are in the state already, each of them above a gap. */
  readonly ahead: ReadonlySet<number>;
  /** Counts the hints that something is missing which no gap shows: a thin event, a call to resync. */
  readonly wants: number;
  /** The last of those hints that was seen before a question whose answer is in the state. */
  readonly served: number;
  /** Messages are complete from this seq on, and shown. Above 0 there is older history to load. */
  readonly windowStart: number;
  /**
   * By id, in their newest form. Those below the window are known because they were changed lately; they are kept because
   * a page of history that is on its way may hold an older form.
   */
  readonly messages: ReadonlyMap<string, Message>;
  readonly pending: readonly PendingMessage[];
  readonly reads: Reads;
  readonly consultation: Consultation | null;
  readonly statusRev: number;
  readonly studentRev: number;
  /** Events that came before the first page. */
  readonly early: readonly LogEvent[];
}

/** A message that the person has written and the server has not confirmed. */
export interface PendingMessage {
  readonly clientMessageId: string;
  readonly content: string;
  readonly createdAt: string;
  readonly state: "sending" | "failed";
  /** A sentence for the person, when it failed. */
  readonly error?: string;
}

export interface LogEvent {
  readonly name: LogEventName;
  /** As it came from the channel: nothing about it is certain. */
  readonly data: unknown;
}

/** What the state was when `?since=<since>` was asked; see {@link nextQuestion}. */
export interface Question {
  readonly since: number;
  readonly epoch: number;
  readonly wants: number;
}

export type LogAction =
  | { readonly type: "page"; readonly page: HistoryPage }
  | { readonly type: "older"; readonly before: number; readonly epoch: number; readonly page: HistoryPage }
  | { readonly type: "changes"; readonly asked: Question; readonly answer: ChangesPage }
  | { readonly type: "unchanged"; readonly asked: Question }
  | { readonly type: "event"; readonly event: LogEvent }
  | { readonly type: "sent"; readonly message: Message }
  | { readonly type: "changed"; readonly consultation: Consultation }
  | { readonly type: "read"; readonly userId: string; readonly mark: ReadMark }
  | { readonly type: "trim"; readonly keep: number }
  | { readonly type: "restore"; readonly pending: readonly PendingMessage[] }
  | { readonly type: "write"; readonly message: Omit<PendingMessage, "state" | "error"> }
  | { readonly type: "fail"; readonly clientMessageId: string; readonly error: string }
  | { readonly type: "retry"; readonly clientMessageId: string }
  | { readonly type: "discard"; readonly clientMessageId: string };

export function newLog(me: string, consultationId: string): LogState {
  return {
    me,
    consultationId,
    epoch: 0,
    loaded: false,
    rev: 0,
    ahead: new Set(),
    wants: 0,
    served: 0,
    windowStart: Infinity,
    messages: new Map(),
    pending: [],
    reads: {},
    consultation: null,
    statusRev: 0,
    studentRev: 0,
    early: [],
  };
}

export function reduceLog(state: LogState, action: LogAction): LogState {
  switch (action.type) {
    case "page":
      return state.loaded ? mergePage(state, action.page) : loadPage(state, action.page);
    case "older":
      return mergeOlder(state, action.before, action.epoch, action.page);
    case "changes":
      return mergeChanges(state, action.asked, action.answer);
    case "unchanged":
      return action.asked.wants <= state.served ? state : { ...state, served: action.asked.wants };
    case "event":
      return applyEvent(state, action.event);
    case "sent":
      return applyMessage(state, action.message);
    case "changed":
      return mergeHeader(action.consultation.rev > state.rev ? want(state) : state, action.consultation);
    case "read":
      return applyReads(state, { [action.userId]: action.mark });
    case "trim":
      return trim(state, action.keep);
    case "restore":
      return restore(state, action.pending);
    case "write":
      if (state.pending.some((p) => p.clientMessageId === action.message.clientMessageId)) return state;
      return { ...state, pending: [...state.pending, { ...action.message, state: "sending" }] };
    case "fail":
      return mapPending(state, action.clientMessageId, (p) => ({ ...p, state: "failed", error: action.error }));
    case "retry":
      return mapPending(state, action.clientMessageId, ({ error: _, ...p }) => ({ ...p, state: "sending" }));
    case "discard":
      return { ...state, pending: state.pending.filter((p) => p.clientMessageId !== action.clientMessageId) };
  }
}

/**
 * Reports whether something is known to be missing, so that the caller should ask for `?since=<rev>`. An accepted
 * request is told by two events with one rev, so a status without its student, or the reverse, is a loss too.
 */
export function isBehind(state: LogState): boolean {
  if (!state.loaded) return false;
  const c = state.consultation;
  const halfAccepted = c !== null && ((c.status === "IN_PROGRESS") !== (c.student !== undefined))
    && (c.status === "IN_PROGRESS" || c.status === "REQUESTED");
  return state.wants > state.served || state.ahead.size > 0 || halfAccepted;
}

/** Returns the question whose answer brings the state up to date. */
export function nextQuestion(state: LogState): Question {
  return { since: state.rev, epoch: state.epoch, wants: state.wants };
}

/** Reports whether there is history above what is loaded. */
export function hasOlder(state: LogState): boolean {
  return state.loaded && state.windowStart > 0;
}

const ordered = new WeakMap<ReadonlyMap<string, Message>, { windowStart: number; list: readonly Message[] }>();

/** Returns the confirmed messages of the window in the order in which everybody sees them. */
export function messagesInOrder({ messages, windowStart }: LogState): readonly Message[] {
  const known = ordered.get(messages);
  if (known?.windowStart === windowStart) return known.list;
  const list = [...messages.values()].filter((m) => m.seq >= windowStart).sort((a, b) => a.seq - b.seq);
  ordered.set(messages, { windowStart, list });
  return list;
}

/** Reports whether the person has a part in the consultation. Before the first answer they are taken to have one. */
export function isParticipant({ consultation: c, me }: LogState): boolean {
  return c === null || c.patient.id === me || c.student?.id === me;
}

/** Up to where one of the others has read; messages of one's own up to there were seen. */
export function readByOthers({ reads, me }: LogState): number {
  return Object.entries(reads).reduce((seq, [id, mark]) => (id === me ? seq : Math.max(seq, mark.seq)), 0);
}

/** Counts the messages of others in the window that the person has not read. */
export function unreadCount(state: LogState): number {
  const read = state.reads[state.me]?.seq ?? 0;
  return messagesInOrder(state).filter((m) => m.seq > read && m.senderId !== state.me && m.deletedAt === undefined).length;
}

/** The key of a message in a list: it stays the same from the moment it is written until it is confirmed and after. */
export function messageKey(m: Pick<Message, "id" | "senderId" | "clientMessageId">, me: string): string {
  return m.senderId === me && m.clientMessageId ? `c:${m.clientMessageId}` : `m:${m.id}`;
}

function loadPage(state: LogState, page: HistoryPage): LogState {
  let next: LogState = {
    ...state,
    loaded: true,
    rev: page.rev,
    windowStart: page.hasMore ? lowestSeq(page.messages) : 0,
    reads: mergeReads(state.reads, page.read),
    early: [],
  };
  next = settle(mergeHeader(next, page.consultation), page.messages);
  for (const event of state.early) next = applyEvent(next, event);
  return next;
}

// A newest page that comes again, as under StrictMode, is true but may lie above a gap: it never moves rev.
function mergePage(state: LogState, page: HistoryPage): LogState {
  const next = mergeHeader({ ...state, reads: mergeReads(state.reads, page.read) }, page.consultation);
  return settle(page.rev > next.rev ? want(next) : next, page.messages);
}

function mergeOlder(state: LogState, before: number, epoch: number, page: HistoryPage): LogState {
  // A page that does not touch the window would leave a hole below it.
  if (!state.loaded || epoch !== state.epoch || before < state.windowStart) return state;
  const start = page.hasMore ? lowestSeq(page.messages) : 0;
  const next = { ...state, windowStart: Math.min(state.windowStart, start) };
  return settle(mergeHeader(next, page.consultation), page.messages);
}

function mergeChanges(state: LogState, asked: Question, answer: ChangesPage): LogState {
  if (!state.loaded || asked.epoch !== state.epoch) return state;
  if (answer.reset) return startOver(state, asked, answer);
  const next = settle(
    mergeHeader({ ...state, reads: mergeReads(state.reads, answer.read) }, answer.consultation),
    answer.messages,
  );
  // The answer covers what lies between since and nextSince; above a hole it proves nothing.
  if (asked.since > state.rev) return next;
  const rev = Math.max(next.rev, answer.nextSince);
  return advance({ ...next, rev, served: answer.hasMore ? next.served : Math.max(next.served, asked.wants) });
}

function startOver(state: LogState, asked: Question, answer: ChangesPage): LogState {
  // With a since above the store's counter, the store was put back to an earlier state: whatever is newer than the
  // answer belongs to a past that no longer is, unless it came while the answer was on its way. That cannot be told
  // apart, so it goes too, and one more question brings it back. Otherwise the client was only too far behind.
  const restored = asked.since > answer.rev;
  const kept = restored ? [] : [...state.messages.values()].filter((m) => m.rev > answer.rev);
  const next: LogState = {
    ...state,
    epoch: state.epoch + 1,
    rev: answer.rev,
    ahead: new Set([...state.ahead].filter((rev) => !restored && rev > answer.rev)),
    wants: restored ? state.wants + 1 : state.wants,
    served: Math.max(state.served, asked.wants),
    windowStart: answer.hasMore ? lowestSeq(answer.messages) : 0,
    messages: new Map(),
    reads: restored ? (answer.read ?? {}) : mergeReads(state.reads, answer.read),
    consultation: restored ? null : state.consultation,
    statusRev: restored ? 0 : state.statusRev,
    studentRev: restored ? 0 : state.studentRev,
  };
  return advance(settle(settle(mergeHeader(next, answer.consultation), answer.messages), kept));
}

function applyEvent(state: LogState, event: LogEvent): LogState {
  const data = asRecord(event.data);
  if (!data || data["consultationId"] !== state.consultationId) return state;
  if (!state.loaded) return { ...state, early: [...state.early, event] };
  switch (event.name) {
    case "new-message":
    case "message-updated":
    case "message-deleted": {
      if (isMessage(data)) return applyMessage(state, data);
      // A thin event tells which change there is, and not what it is.
      const rev = asNumber(data["rev"]);
      return rev === undefined || rev > state.rev ? want(state) : state;
    }
    case "status-update": {
      const { status, rev } = data;
      if (!isStatus(status) || !isNumber(rev)) return want(state);
      const next = note(state, rev);
      if (rev <= state.statusRev || !next.consultation) return next;
      return { ...next, statusRev: rev, consultation: { ...next.consultation, status } };
    }
    case "consultation-updated": {
      const { rev, student } = data;
      if (data["thin"] === true || !isNumber(rev) || (student !== undefined && !isPerson(student))) {
        return isNumber(rev) && rev <= state.studentRev ? state : want(state);
      }
      const next = note(state, rev);
      if (rev <= state.studentRev || !next.consultation) return next;
      const { student: _, ...rest } = next.consultation;
      return { ...next, studentRev: rev, consultation: student === undefined ? rest : { ...rest, student } };
    }
    case "messages-read": {
      const { userId, seq, at } = data;
      if (typeof userId !== "string" || !isNumber(seq)) return state;
      return applyReads(state, { [userId]: { seq, at: typeof at === "string" ? at : "" } });
    }
    case "resync-required":
      return want(state);
  }
}

function applyReads(state: LogState, incoming: Reads): LogState {
  const reads = mergeReads(state.reads, incoming);
  return reads === state.reads ? state : { ...state, reads };
}

/**
 * Lets go of the oldest messages of a window that has grown beyond twice what is to be kept: they can be loaded again.
 * A page of history that is on its way no longer touches the window then, and is dropped.
 */
function trim(state: LogState, keep: number): LogState {
  const shown = messagesInOrder(state);
  if (shown.length <= keep * 2) return state;
  const kept = shown.slice(-keep);
  const windowStart = kept[0]?.seq ?? state.windowStart;
  return { ...state, windowStart, messages: new Map(kept.map((m) => [m.id, m])) };
}

/** Takes up what an earlier life of the page had written, unless the server has it already. */
function restore(state: LogState, pending: readonly PendingMessage[]): LogState {
  const known = new Set(state.pending.map((p) => p.clientMessageId));
  for (const m of state.messages.values()) if (m.senderId === state.me && m.clientMessageId) known.add(m.clientMessageId);
  const missing = pending.filter((p) => !known.has(p.clientMessageId));
  return missing.length === 0 ? state : { ...state, pending: [...missing, ...state.pending] };
}

function applyMessage(state: LogState, m: Message): LogState {
  if (m.consultationId !== state.consultationId) return state;
  return note(settle(state, [m]), m.rev);
}

/** Puts messages in, each in its newest form, and takes out the pending ones that they confirm. */
function settle(state: LogState, incoming: readonly Message[]): LogState {
  let messages: Map<string, Message> | undefined;
  const confirmed = new Set<string>();
  for (const m of incoming) {
    if (m.consultationId !== state.consultationId) continue;
    if (m.senderId === state.me && m.clientMessageId) confirmed.add(m.clientMessageId);
    const known = (messages ?? state.messages).get(m.id);
    if (known && known.rev >= m.rev) continue;
    messages ??= new Map(state.messages);
    messages.set(m.id, m);
  }
  const pending = state.pending.some((p) => confirmed.has(p.clientMessageId))
    ? state.pending.filter((p) => !confirmed.has(p.clientMessageId))
    : state.pending;
  if (!messages && pending === state.pending) return state;
  return { ...state, messages: messages ?? state.messages, pending };
}

function want(state: LogState): LogState {
  return { ...state, wants: state.wants + 1 };
}

/** Takes notice that the change with this number is in the state. */
function note(state: LogState, rev: number): LogState {
  if (rev <= state.rev || state.ahead.has(rev)) return state;
  return advance({ ...state, ahead: new Set(state.ahead).add(rev) });
}

function advance(state: LogState): LogState {
  let rev = state.rev;
  while (state.ahead.has(rev + 1)) rev++;
  const ahead = new Set([...state.ahead].filter((n) => n > rev));
  if (rev === state.rev && ahead.size === state.ahead.size) return state;
  return { ...state, rev, ahead };
}

function mergeHeader(state: LogState, header: Consultation): LogState {
  if (header.id !== state.consultationId) return state;
  const known = state.consultation;
  if (!known) return { ...state, consultation: header, statusRev: header.rev, studentRev: header.rev };
  const newStatus = header.rev >= state.statusRev;
  const newStudent = header.rev >= state.studentRev;
  const { student: _, ...rest } = header.rev >= known.rev ? header : known;
  const student = newStudent ? header.student : known.student;
  const consultation: Consultation = {
    ...rest,
    status: newStatus ? header.status : known.status,
    ...(student === undefined ? {} : { student }),
  };
  return {
    ...state,
    consultation: sameHeader(known, consultation) ? known : consultation,
    statusRev: newStatus ? header.rev : state.statusRev,
    studentRev: newStudent ? header.rev : state.studentRev,
  };
}

function sameHeader(a: Consultation, b: Consultation): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function mergeReads(known: Reads, incoming: Reads | undefined): Reads {
  const newer = Object.entries(incoming ?? {}).filter(([id, mark]) => mark.seq > (known[id]?.seq ?? -1));
  return newer.length === 0 ? known : { ...known, ...Object.fromEntries(newer) };
}

function mapPending(state: LogState, id: string, change: (p: PendingMessage) => PendingMessage): LogState {
  return { ...state, pending: state.pending.map((p) => (p.clientMessageId === id ? change(p) : p)) };
}

function lowestSeq(messages: readonly Message[]): number {
  return messages.reduce((low, m) => Math.min(low, m.seq), Infinity);
}
