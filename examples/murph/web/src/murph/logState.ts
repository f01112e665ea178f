import type { ChangesPage, Consultation, HistoryPage, LogEventName, Message, ReadMark, Reads, Transport } from "./types";

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
  /** The server's word for the past that rev counts in; "" before the first answer. */
  readonly serverEpoch: string;
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
  /** Where the events come from. The channels in it change when another student takes over. */
  readonly transport: Transport | null;
  /** The rev of the first answer that named this transport. */
  readonly transportRev: number;
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

/** What the state was when `?since=<since>&epoch=<serverEpoch>` was asked; see {@link nextQuestion}. */
export interface Question {
  readonly since: number;
  readonly serverEpoch: string;
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
    serverEpoch: "",
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
    transport: null,
    transportRev: 0,
    early: [],
  };
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
  return { since: state.rev, serverEpoch: state.serverEpoch, epoch: state.epoch, wants: state.wants };
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
