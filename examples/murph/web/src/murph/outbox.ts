import { ApiError, isTransient, type Api } from "./api";
import type { LogAction, LogState, PendingMessage } from "./logState";

export interface OutboxOptions {
  readonly api: Api;
  readonly consultationId: string;
  readonly log: () => LogState;
  readonly dispatch: (action: LogAction) => void;
  /** Makes a sentence for the person out of an error. */
  readonly describe: (err: unknown) => string;
  readonly onGivenUp: (err: unknown) => void;
}

const pauses = [1_000, 2_000, 4_000, 8_000, 16_000];

/**
 * Sends the pending messages of a log, one after the other, so that they arrive in the order in which they were written.
 * A failed attempt is repeated with the same key: the server stores the message once, however often it is asked.
 */
export class Outbox {
  /** The connection that need not hear of our own messages. */
  socketId: string | undefined;
  readonly #options: OutboxOptions;
  #running = false;
  #skipPause: (() => void) | undefined;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  add(content: string): void {
    const message = { clientMessageId: newClientMessageId(), content, createdAt: new Date().toISOString() };
    this.#options.dispatch({ type: "write", message });
    void this.#run();
  }

  /** Sends what is pending: after a reload there may be something. */
  resume(): void {
    void this.#run();
  }

  retry(clientMessageId: string): void {
    this.#options.dispatch({ type: "retry", clientMessageId });
    void this.#run();
  }

  /** Ends the present pause: the network is back. */
  wake(): void {
    this.#skipPause?.();
  }

  async #run(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    try {
      for (let next = this.#next(); next; next = this.#next()) await this.#send(next);
    } finally {
      this.#running = false;
    }
  }

  #next(): PendingMessage | undefined {
    return this.#options.log().pending.find((p) => p.state === "sending");
  }

  async #send({ clientMessageId, content }: PendingMessage): Promise<void> {
    const { api, consultationId, dispatch } = this.#options;
    // An event or a catch-up may have confirmed it while the answer was lost.
    const wanted = () =>
      this.#options.log().pending.some((p) => p.clientMessageId === clientMessageId && p.state === "sending");
    for (let attempt = 0; wanted(); attempt++) {
      try {
        const { socketId } = this;
        const message = await api.send({ consultationId, content, clientMessageId, ...(socketId && { socketId }) });
        dispatch({ type: "sent", message });
        // Were the answer to lack the key, the message would be sent for ever.
        dispatch({ type: "discard", clientMessageId });
      } catch (err) {
        const pause = pauses[attempt];
        if (isTransient(err) && pause !== undefined) {
          await this.#pause(Math.max(pause, (err instanceof ApiError && err.retryAfter) || 0));
          continue;
        }
        if (!wanted()) return;
        dispatch({ type: "fail", clientMessageId, error: this.#options.describe(err) });
        this.#options.onGivenUp(err);
      }
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#skipPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** 32 random characters: randomUUID exists on encrypted pages only. */
function newClientMessageId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((b) => b.toString(16).padStart(2, "0")).join("");
}
