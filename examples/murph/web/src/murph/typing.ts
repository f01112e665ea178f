/** Milliseconds between two signs of life of somebody who types: they are billed, and nobody sees more of them. */
const resendAfter = 3_000;
/** Milliseconds after which somebody of whom nothing more is heard has stopped. */
const expiresAfter = 6_000;

/** Who else is typing, from events that anybody on the channel can send: only the transport's word for the sender counts. */
export class TypingBoard {
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();
  readonly #watchers = new Set<() => void>();
  #typing: ReadonlySet<string> = new Set();
  #sentAt = -Infinity;

  readonly watch = (fn: () => void): (() => void) => {
    this.#watchers.add(fn);
    return () => void this.#watchers.delete(fn);
  };

  readonly typing = (): ReadonlySet<string> => this.#typing;

  heard(userId: string): void {
    clearTimeout(this.#timers.get(userId));
    this.#timers.set(userId, setTimeout(() => this.clear(userId), expiresAfter));
    if (this.#typing.has(userId)) return;
    this.#typing = new Set(this.#typing).add(userId);
    this.#tell();
  }

  /** Their message is here, or they have gone. */
  clear(userId: string): void {
    clearTimeout(this.#timers.get(userId));
    if (!this.#timers.delete(userId)) return;
    this.#typing = new Set([...this.#typing].filter((id) => id !== userId));
    this.#tell();
  }

  clearAll(): void {
    for (const id of [...this.#timers.keys()]) this.clear(id);
  }

  /** Calls send for a key that was pressed, unless it was called a moment ago. send reports whether it could. */
  pressed(send: () => boolean): void {
    const now = Date.now();
    if (now - this.#sentAt >= resendAfter && send()) this.#sentAt = now;
  }

  /** The message is sent: the next key is news again. */
  sent(): void {
    this.#sentAt = -Infinity;
  }

  #tell(): void {
    for (const fn of [...this.#watchers]) fn();
  }
}
