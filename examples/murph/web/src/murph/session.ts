import { ApiError, type Api, type Version } from "./api";
import { Keeper } from "./keeper";
import { reduceLog } from "./log";
import { hasOlder, isBehind, isParticipant, newLog, nextQuestion, type LogAction, type LogState } from "./logState";
import { Outbox } from "./outbox";
import { ReadReporter } from "./reads";
import type { LogEventName, Message, Status } from "./types";

/**
 * Why a consultation cannot be shown. Everything else is tried again. gone: it does not exist, or not for this person;
 * replaced: it was theirs, and is no longer, as when another student takes over.
 */
export type Trouble = "gone" | "replaced" | "unauthenticated";

export interface SessionState {
  readonly log: LogState;
  readonly trouble: Trouble | null;
  /** The last request reached the server. */
  readonly reachable: boolean;
  readonly loadingOlder: boolean;
}

export interface SessionOptions {
  readonly api: Api;
  readonly me: string;
  readonly consultationId: string;
  /** Makes a sentence for the person out of an error. */
  readonly describe: (err: unknown) => string;
  /** Is told of each message that was given up. */
  readonly onSendFailed?: (sentence: string) => void;
  /** Keeps unsent messages over a reload. Defaults to one for the tab. */
  readonly keeper?: Keeper;
  readonly pauses?: Partial<Pauses>;
}

/** Milliseconds between two questions to the server. */
export interface Pauses {
  /** while events arrive */
  readonly live: number;
  /** while they do not */
  readonly cutOff: number;
  /** where there never are any */
  readonly pollOnly: number;
  /** that a gap is given to close by itself: events may overtake each other */
  readonly gap: number;
}

const defaultPauses: Pauses = { live: 45_000, cutOff: 10_000, pollOnly: 3_000, gap: 300 };
const slowest = 10_000;

/** So many messages stay in memory when the reader is back at the end of a long history. */
const keptMessages = 200;

/**
 * One consultation, kept complete: it loads the newest page, takes events, asks for what is missing and sends what the
 * person writes. Events only save time. With none at all it polls, so the chat works without any transport.
 *
 * It asks when the channel has been subscribed to (before that, an event could fall between the answer and the
 * subscription), when a gap does not close by itself, when the page comes back, and from time to time.
 */
export class ConsultationSession {
  readonly #options: SessionOptions;
  readonly #pauses: Pauses;
  readonly #keeper: Keeper;
  readonly #outbox: Outbox;
  readonly #reads: ReadReporter;
  readonly #watchers = new Set<() => void>();
  #state: SessionState;
  #live = false;
  #users = 0;
  #asking = false;
  #askAgain = false;
  #failures = 0;
  #gapTries = 0;
  #gapSince = 0;
  #askedAt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #due = Infinity;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#pauses = { ...defaultPauses, ...options.pauses };
    this.#state = {
      log: newLog(options.me, options.consultationId),
      trouble: null,
      reachable: true,
      loadingOlder: false,
    };
    this.#keeper = options.keeper ?? new Keeper(options.me);
    this.#reads = new ReadReporter(async (seq) => {
      const mark = await options.api.markRead(options.consultationId, seq);
      this.#dispatch({ type: "read", userId: options.me, mark });
    });
    this.#outbox = new Outbox({
      api: options.api,
      consultationId: options.consultationId,
      log: () => this.#state.log,
      dispatch: (action) => this.#dispatch(action),
      onGivenUp: (err) => {
        // The refusal may be news: the consultation has ended.
        if (err instanceof ApiError) this.catchUp();
        options.onSendFailed?.(options.describe(err));
      },
      describe: options.describe,
    });
  }

  readonly getState = (): SessionState => this.#state;

  readonly watch = (fn: () => void): (() => void) => {
    this.#watchers.add(fn);
    return () => void this.#watchers.delete(fn);
  };

  /** Starts asking, until the returned function is called. Several may use one session. */
  start(): () => void {
    let running = true;
    if (this.#users++ === 0) {
      this.#dispatch({ type: "restore", pending: this.#keeper.pending(this.#options.consultationId) });
      this.#outbox.resume();
      this.wake();
    }
    return () => {
      if (!running) return;
      running = false;
      if (--this.#users > 0) return;
      this.#stopTimer();
      this.#reads.stop();
    };
  }

  /** Takes an event of the consultation's channel. */
  handleEvent(name: LogEventName, data: unknown): void {
    this.#dispatch({ type: "event", event: { name, data } });
  }

  /** Says whether events arrive at present, and by which socket. */
  setLink(live: boolean, socketId: string | undefined): void {
    this.#outbox.socketId = socketId;
    if (live === this.#live) return;
    this.#live = live;
    if (live) this.#outbox.wake();
    this.#plan();
  }

  /** Asks now, and once more if it is asking already: that answer may be older than the reason. */
  catchUp(): void {
    if (this.#asking) this.#askAgain = true;
    else void this.#ask();
  }

  /** The page is back, or the network is. */
  wake(): void {
    this.#failures = 0;
    this.#outbox.wake();
    this.catchUp();
  }

  /** Writes a message. It is shown at once and sent until the server has it or refuses it. */
  send(content: string): void {
    this.#outbox.add(content);
  }

  retry(clientMessageId: string): void {
    this.#outbox.retry(clientMessageId);
  }

  discard(clientMessageId: string): void {
    this.#dispatch({ type: "discard", clientMessageId });
  }

  /** Replaces the text of a message of one's own. It throws what the server answers. */
  async edit(version: Version, content: string): Promise<void> {
    await this.#change(() => this.#options.api.edit(version, content));
  }

  /** Deletes a message of one's own. It throws what the server answers. */
  async remove(version: Version): Promise<void> {
    await this.#change(() => this.#options.api.remove(version));
  }

  /** Says which message of others is the lowest in sight, null when nobody is looking. */
  look(seq: number | null): void {
    const { log } = this.#state;
    this.#reads.known(log.reads[log.me]?.seq ?? 0);
    this.#reads.look(seq);
  }

  /** The reader is at the end: what lies far above may be let go. */
  atEnd(): void {
    if (!this.#state.loadingOlder) this.#dispatch({ type: "trim", keep: keptMessages });
  }

  /** Asks for a change of status. It throws what the server answers. */
  async setStatus(status: Status): Promise<void> {
    try {
      const consultation = await this.#options.api.setStatus(this.#options.consultationId, status);
      this.#dispatch({ type: "changed", consultation });
    } finally {
      this.catchUp();
    }
  }

  /** Loads the page above what is there. */
  async loadOlder(): Promise<void> {
    const { log, loadingOlder } = this.#state;
    if (loadingOlder || !hasOlder(log)) return;
    this.#set({ loadingOlder: true });
    try {
      const before = log.windowStart;
      const page = await this.#options.api.history(log.consultationId, { before });
      this.#dispatch({ type: "older", before, epoch: log.epoch, page });
    } finally {
      this.#set({ loadingOlder: false });
    }
  }

  async #change(change: () => Promise<Message>): Promise<void> {
    try {
      this.#dispatch({ type: "sent", message: await change() });
    } catch (err) {
      // A refusal is news: it was changed, its time is over, or the consultation has ended.
      if (err instanceof ApiError) this.catchUp();
      throw err;
    }
  }

  async #ask(): Promise<void> {
    this.#asking = true;
    this.#stopTimer();
    try {
      do {
        this.#askAgain = false;
        this.#askedAt = Date.now();
        await this.#askOnce();
      } while (this.#wantsAnother());
      this.#failures = 0;
      // A gap that an answer did not close is asked about again, but ever more slowly.
      this.#gapTries = isBehind(this.#state.log) ? this.#gapTries + 1 : 0;
      this.#gapSince = Date.now();
      this.#set({ reachable: true, trouble: this.#state.log.loaded ? null : this.#state.trouble });
    } catch (err) {
      this.#failures++;
      if (!(err instanceof ApiError)) this.#set({ reachable: false });
      else if (err.status === 401) this.#set({ reachable: true, trouble: "unauthenticated" });
      else if (err.status === 403 || err.status === 404) this.#lose(this.#state.log.loaded ? "replaced" : "gone");
      else this.#set({ reachable: err.status < 500 });
    } finally {
      this.#asking = false;
      this.#plan();
    }
  }

  /** The consultation is not this person's, or no longer: nothing of it stays here. */
  #lose(trouble: "gone" | "replaced"): void {
    const { me, consultationId } = this.#options;
    this.#keeper.forget(consultationId);
    this.#reads.stop();
    const known = this.#state.trouble === "replaced" ? "replaced" : trouble;
    this.#set({ log: newLog(me, consultationId), reachable: true, trouble: known });
  }

  #wantsAnother(): boolean {
    return this.#askAgain;
  }

  async #askOnce(): Promise<void> {
    const { api, consultationId } = this.#options;
    if (!this.#state.log.loaded) {
      this.#dispatch({ type: "page", page: await api.history(consultationId) });
      return;
    }
    for (let more = true; more; ) {
      const asked = nextQuestion(this.#state.log);
      const answer = await api.changes(consultationId, asked.since, asked.serverEpoch);
      if (!answer) {
        this.#dispatch({ type: "unchanged", asked });
        return;
      }
      this.#dispatch({ type: "changes", asked, answer });
      more = answer.hasMore && !answer.reset && this.#state.log.rev > asked.since;
    }
  }

  /** Sets the clock for the next question; an earlier one that is set already stays. */
  #plan(): void {
    if (this.#users === 0 || this.#asking) return;
    const now = Date.now();
    const due = Math.max(now, this.#nextAt(now));
    if (due >= this.#due) return;
    this.#stopTimer();
    if (due === Infinity) return;
    this.#due = due;
    this.#timer = setTimeout(() => {
      this.#due = Infinity;
      // What the clock was set for may have been settled since.
      if (this.#nextAt(Date.now()) <= Date.now()) void this.#ask();
      else this.#plan();
    }, due - now);
  }

  #nextAt(now: number): number {
    const { log, trouble } = this.#state;
    if (trouble) return Infinity;
    if (this.#failures > 0) return this.#askedAt + Math.min(slowest, 1_000 * 2 ** (this.#failures - 1));
    if (!log.loaded) return now;
    const behind = isBehind(log);
    if (behind) return this.#gapSince + Math.min(slowest, this.#pauses.gap * 2 ** this.#gapTries);
    if (document.visibilityState === "hidden") return Infinity;
    const { live, cutOff, pollOnly } = this.#pauses;
    return this.#askedAt + (this.#live ? live : log.transport?.driver === "poll" ? pollOnly : cutOff);
  }

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#due = Infinity;
  }

  #dispatch(action: LogAction): void {
    const before = this.#state.log;
    const log = reduceLog(before, action);
    if (log === before) return;
    if (!isParticipant(log)) {
      this.#lose("replaced");
      return;
    }
    if (log.pending !== before.pending) this.#keeper.keepPending(log.consultationId, log.pending);
    const behind = isBehind(log);
    if (behind && !isBehind(before)) {
      this.#gapTries = 0;
      this.#gapSince = Date.now();
    }
    this.#set({ log });
    if (behind) this.#plan();
  }

  #set(change: Partial<SessionState>): void {
    this.#state = { ...this.#state, ...change };
    for (const fn of [...this.#watchers]) fn();
  }
}

