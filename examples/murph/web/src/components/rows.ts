import { messageKey, messagesInOrder, type LogState, type Message, type PendingMessage } from "../murph";
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
  /** null: the server has it. */
  readonly pending: PendingMessage | null;
  readonly live: boolean;
}

export type Row = DayRow | MessageRow;

const groupWithin = 5 * 60_000;

/**
 * Lays the log out as rows: confirmed messages in the server's order, then what is on its way, a row before each new
 * day. Rows above liveFrom came after the list was opened.
 */
export function layOut(log: LogState, liveFrom: number): readonly Row[] {
  const rows: Row[] = [];
  let last: { senderId: string; at: string } | null = null;
  const push = (senderId: string, row: MessageRow, name: string) => {
    const newDay = last === null || dayOf(last.at) !== dayOf(row.at);
    if (newDay) rows.push({ kind: "day", key: `day:${row.key}`, at: row.at, live: row.live });
    const together =
      !newDay && last?.senderId === senderId && Math.abs(Date.parse(row.at) - Date.parse(last.at)) < groupWithin;
    rows.push({ ...row, name: together ? null : name });
    last = { senderId, at: row.at };
  };
  for (const m of messagesInOrder(log)) push(m.senderId, confirmedRow(m, log.me, m.seq > liveFrom), fullName(m.sender));
  for (const p of log.pending) push(log.me, pendingRow(p, log.me), "");
  return rows;
}

function confirmedRow(m: Message, me: string, live: boolean): MessageRow {
  return {
    kind: "message",
    key: messageKey(m, me),
    own: m.senderId === me,
    name: null,
    content: m.content,
    at: m.createdAt,
    deleted: m.deletedAt !== undefined,
    edited: m.editedAt !== undefined && m.deletedAt === undefined,
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
