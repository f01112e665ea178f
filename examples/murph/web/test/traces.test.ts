import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  isBehind, logEvents, messagesInOrder, newLog, nextQuestion, reduceLog,
  type ChangesPage, type HistoryPage, type LogEventName, type LogState, type Message,
} from "../src/murph";

/** The files are those of the client model in Go: both have to make the same of them. */
const folder = join(import.meta.dirname, "../../../../chat/chattest/testdata/traces");

interface Step {
  readonly page?: HistoryPage;
  readonly event?: { readonly name: string; readonly data: unknown };
  readonly sent?: Message;
  readonly changes?: { readonly since: number; readonly answer: ChangesPage };
  readonly older?: { readonly before: number; readonly answer: HistoryPage };
  readonly expect?: {
    readonly rev: number;
    readonly messages: readonly string[];
    readonly behind?: boolean;
    readonly floor?: number;
    readonly read?: Readonly<Record<string, number>>;
    readonly epoch?: string;
    readonly status?: string;
    readonly student?: string;
  };
}

interface Trace {
  readonly what: string;
  readonly me: string;
  readonly consultationId: string;
  readonly steps: readonly Step[];
}

function play(log: LogState, { page, event, sent, changes, older }: Step): LogState {
  if (page) return reduceLog(log, { type: "page", page });
  if (sent) return reduceLog(log, { type: "sent", message: sent });
  // The hooks bind to the events that they know.
  if (event && (logEvents as readonly string[]).includes(event.name)) {
    return reduceLog(log, { type: "event", event: { name: event.name as LogEventName, data: event.data } });
  }
  if (changes) {
    return reduceLog(log, { type: "changes", asked: { ...nextQuestion(log), since: changes.since }, answer: changes.answer });
  }
  if (older) return reduceLog(log, { type: "older", before: older.before, epoch: log.epoch, page: older.answer });
  return log;
}

function check(log: LogState, { rev, messages, ...more }: NonNullable<Step["expect"]>): void {
  expect(messagesInOrder(log).map((m) => m.content)).toEqual(messages);
  expect(log.rev).toBe(rev);
  if (more.behind !== undefined) expect(isBehind(log)).toBe(more.behind);
  if (more.floor !== undefined) expect(log.windowStart).toBe(more.floor);
  for (const [user, seq] of Object.entries(more.read ?? {})) expect(log.reads[user]?.seq).toBe(seq);
  if (more.epoch !== undefined) expect(log.serverEpoch).toBe(more.epoch);
  if (more.status !== undefined) expect(log.consultation?.status).toBe(more.status);
  if (more.student !== undefined) expect(log.consultation?.student?.id).toBe(more.student);
}

const files = readdirSync(folder).filter((f) => f.endsWith(".json"));

describe("reduceLog on the traces that the Go client model follows", () => {
  it("finds them", () => expect(files.length).toBeGreaterThan(10));

  it.each(files)("%s", (file) => {
    const trace = JSON.parse(readFileSync(join(folder, file), "utf8")) as Trace;
    let log = newLog(trace.me, trace.consultationId);
    for (const step of trace.steps) {
      log = play(log, step);
      if (step.expect) check(log, step.expect);
    }
  });
});
