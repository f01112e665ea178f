import { isTransient } from "./api";

/** Milliseconds that a message has to be in sight before it counts as read. */
const longEnough = 500;
/** Milliseconds between two reports at least. */
const spacing = 1_000;
/** Milliseconds before a report that got lost is repeated. */
const again = 5_000;

/**
 * Reports how far a person has read: the newest message of others that was in sight for half a second, at most once a
 * second. The server keeps the highest, so a report that is lost costs nothing but time.
 */
export class ReadReporter {
  readonly #report: (seq: number) => Promise<void>;
  /** What is in sight, and since when; the highest last. */
  #inSight: { seq: number; since: number }[] = [];
  #read = 0;
  #reported = 0;
  #notBefore = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(report: (seq: number) => Promise<void>) {
    this.#report = report;
  }

  /** The server knows of this much already. */
  known(seq: number): void {
    this.#reported = Math.max(this.#reported, seq);
  }

  /** Says what is in sight now: the seq of the lowest message of others on the screen, null when nobody is looking. */
  look(seq: number | null): void {
    this.#age();
    const top = seq ?? 0;
    this.#inSight = this.#inSight.filter((s) => s.seq <= top);
    if (top > this.#read && top > (this.#inSight.at(-1)?.seq ?? 0)) this.#inSight.push({ seq: top, since: Date.now() });
    this.#plan();
  }

  /** Ends all waiting; what was read and not reported is reported after the next look. */
  stop(): void {
    this.#inSight = [];
    clearTimeout(this.#timer);
  }

  #age(): void {
    const now = Date.now();
    for (const s of this.#inSight) if (now - s.since >= longEnough) this.#read = Math.max(this.#read, s.seq);
    this.#inSight = this.#inSight.filter((s) => now - s.since < longEnough);
  }

  #plan(): void {
    clearTimeout(this.#timer);
    const now = Date.now();
    const due = this.#read > this.#reported ? this.#notBefore : (this.#inSight[0]?.since ?? Infinity) + longEnough;
    if (due === Infinity) return;
    this.#timer = setTimeout(() => {
      this.#age();
      if (this.#read > this.#reported && Date.now() >= this.#notBefore) void this.#send(this.#read);
      else this.#plan();
    }, Math.max(0, due - now));
  }

  async #send(seq: number): Promise<void> {
    const before = this.#reported;
    this.#reported = seq;
    this.#notBefore = Date.now() + spacing;
    try {
      await this.#report(seq);
    } catch (err) {
      if (!isTransient(err)) return;
      if (this.#reported === seq) this.#reported = before;
      this.#notBefore = Date.now() + again;
    }
    this.#plan();
  }
}
