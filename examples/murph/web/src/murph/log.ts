import { messagesInOrder, type LogAction, type LogEvent, type LogState, type PendingMessage, type Question } from "./logState";
import type { ChangesPage, Consultation, HistoryPage, Message, Reads } from "./types";
import { asNumber, asRecord, isMessage, isNumber, isPerson, isStatus } from "./wire";

/** Returns the state after an action. It changes nothing, and returns the same state where the action is no news. */
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

function loadPage(state: LogState, page: HistoryPage): LogState {
  let next: LogState = {
    ...state,
    loaded: true,
    serverEpoch: page.epoch ?? "",
    rev: page.rev,
    windowStart: page.hasMore ? lowestSeq(page.messages) : 0,
    reads: mergeReads(state.reads, page.read),
    early: [],
  };
  next = settle(mergeAnswer(next, page), page.messages);
  for (const event of state.early) next = applyEvent(next, event);
  return next;
}

// A newest page that comes again, as under StrictMode, is true but may lie above a gap: it never moves rev.
function mergePage(state: LogState, page: HistoryPage): LogState {
  if (isOfAnotherPast(state, page)) return want(state);
  const next = mergeAnswer({ ...state, reads: mergeReads(state.reads, page.read) }, page);
  return settle(page.rev > next.rev ? want(next) : next, page.messages);
}

function mergeOlder(state: LogState, before: number, epoch: number, page: HistoryPage): LogState {
  if (!state.loaded || epoch !== state.epoch) return state;
  if (isOfAnotherPast(state, page)) return want(state);
  // A page that does not touch the window would leave a hole below it.
  if (before < state.windowStart) return mergeTransport(state, page);
  const start = page.hasMore ? lowestSeq(page.messages) : 0;
  const next = { ...state, windowStart: Math.min(state.windowStart, start) };
  return settle(mergeAnswer(next, page), page.messages);
}

function mergeChanges(state: LogState, asked: Question, answer: ChangesPage): LogState {
  if (!state.loaded || asked.epoch !== state.epoch) return state;
  if (answer.reset) return startOver(state, asked, answer);
  const serverEpoch = answer.epoch ?? state.serverEpoch;
  const next = settle(
    mergeAnswer({ ...state, serverEpoch, reads: mergeReads(state.reads, answer.read) }, answer),
    answer.messages,
  );
  // The answer covers what lies between since and nextSince; above a hole it proves nothing.
  if (asked.since > state.rev) return next;
  const rev = Math.max(next.rev, answer.nextSince);
  return advance({ ...next, rev, served: answer.hasMore ? next.served : Math.max(next.served, asked.wants) });
}

function startOver(state: LogState, asked: Question, answer: ChangesPage): LogState {
  // With another epoch, or a since above the store's counter, the store was put back to an earlier state: whatever is
  // newer than the answer belongs to a past that no longer is, unless it came while the answer was on its way. That cannot
  // be told apart, so it goes too, and one more question brings it back. Otherwise the client was only too far behind.
  const restored = asked.since > answer.rev || isOfAnotherPast(state, answer);
  const kept = restored ? [] : [...state.messages.values()].filter((m) => m.rev > answer.rev);
  const next: LogState = {
    ...state,
    epoch: state.epoch + 1,
    serverEpoch: answer.epoch ?? "",
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
    transportRev: restored ? 0 : state.transportRev,
  };
  return advance(settle(settle(mergeAnswer(next, answer), answer.messages), kept));
}

/** Reports whether the store was restored between what is in the state and this page: the two cannot be merged. */
function isOfAnotherPast({ serverEpoch }: LogState, { epoch }: HistoryPage): boolean {
  return serverEpoch !== "" && epoch !== undefined && epoch !== serverEpoch;
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
    consultation: same(known, consultation) ? known : consultation,
    statusRev: newStatus ? header.rev : state.statusRev,
    studentRev: newStudent ? header.rev : state.studentRev,
  };
}

/** Takes what an answer says beside the messages. */
function mergeAnswer(state: LogState, answer: HistoryPage): LogState {
  return mergeTransport(mergeHeader(state, answer.consultation), answer);
}

/** The channel names change with the rev, so an answer that is older than the last one names channels that were left. */
function mergeTransport(state: LogState, { rev, transport }: HistoryPage): LogState {
  if (rev < state.transportRev || same(state.transport, transport)) return state;
  return { ...state, transport, transportRev: rev };
}

function same(a: unknown, b: unknown): boolean {
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
