import { messageKey, messagesInOrder, readByOthers, type LogState, type Message, type PendingMessage } from "../murph";
import { dayOf } from "./time";

export interface DayRow {
  readonly kind: "day";
  readonly key: string;
  readonly at: string;
  readonly live: boolean;
}

export interface MessageRow {
  readonly kind: "message";
  readonly key: string;
  readonly own: boolean;
  /** The name to show above it: it is the first of several by one person. */
  readonly name: string | null;
  readonly content: string;
  readonly at: string;
  readonly deleted: boolean;
  readonly edited: boolean;
  /** The server's number and version of it; 0 while it is on its way. */
  readonly id: string;
  readonly seq: number;
  readonly rev: number;
  /** One's own, and the other person has seen it. */
  readonly read: boolean;
  /** null: the server has it. */
  readonly pending: PendingMessage | null;
  readonly live: boolean;
}

export type Row = DayRow | MessageRow;

const groupWithin = 5 * 60_000;

interface Moment {
  readonly day: string;
  readonly time: number;
}

const moments = new WeakMap<Message | PendingMessage, Moment>();

/** Time zones are slow, and a long history is laid out with every message that comes. */
function momentOf(m: Message | PendingMessage): Moment {
  let moment = moments.get(m);
  if (!moment) moments.set(m, (moment = { day: dayOf(m.createdAt), time: Date.parse(m.createdAt) }));
  return moment;
}

/**
 * Lays the log out as rows: confirmed messages in the server's order, then what is on its way, a row before each new
 * day. Rows above liveFrom came after the list was opened.
 */
export function layOut(log: LogState, liveFrom: number): readonly Row[] {
  const rows: Row[] = [];
  const readTo = readByOthers(log);
  let last: { senderId: string; moment: Moment } | null = null;
  const push = (senderId: string, moment: Moment, row: MessageRow, name: string) => {
    const newDay = last?.moment.day !== moment.day;
    if (newDay) rows.push({ kind: "day", key: `day:${row.key}`, at: row.at, live: row.live });
    const together = !newDay && last?.senderId === senderId && Math.abs(moment.time - last.moment.time) < groupWithin;
    rows.push(together ? row : { ...row, name });
    last = { senderId, moment };
  };
  for (const m of messagesInOrder(log)) {
    const own = m.senderId === log.me;
    push(m.senderId, momentOf(m), confirmedRow(m, log.me, m.seq > liveFrom, own && m.seq <= readTo), fullName(m.sender));
  }
  for (const p of log.pending) push(log.me, momentOf(p), pendingRow(p, log.me), "");
  return rows;
}

function confirmedRow(m: Message, me: string, live: boolean, read: boolean): MessageRow {
  return {
    kind: "message",
    key: messageKey(m, me),
    own: m.senderId === me,
    name: null,
    content: m.content,
    at: m.createdAt,
    deleted: m.deletedAt !== undefined,
    edited: m.editedAt !== undefined && m.deletedAt === undefined,
    id: m.id,
    seq: m.seq,
    rev: m.rev,
    read,
    pending: null,
    live,
  };
}

function pendingRow(p: PendingMessage, me: string): MessageRow {
  return {
    kind: "message",
    key: messageKey({ id: "", senderId: me, clientMessageId: p.clientMessageId }, me),
    own: true,
    name: null,
    content: p.content,
    at: p.createdAt,
    deleted: false,
    edited: false,
    id: "",
    seq: 0,
    rev: 0,
    read: false,
    pending: p,
    live: true,
  };
}

export function fullName(p: { readonly firstName: string; readonly lastName: string }): string {
  return `${p.firstName} ${p.lastName}`.trim();
}

export function initials(p: { readonly firstName: string; readonly lastName: string }): string {
  const first = (name: string) => Array.from(name)[0] ?? "";
  return (first(p.firstName) + first(p.lastName)).toUpperCase();
}
