/** Height in pixels that a row is taken to have before it has been on the screen. */
const guess = 56;
/** Pixels above and below the screen that are filled too, so that scrolling finds rows and no blanks. */
const margin = 800;

/** A row and its distance from the upper edge of the screen: what stays in its place whatever comes above it. */
export interface Anchor {
  readonly key: string;
  readonly offset: number;
}

/** The rows to show, as indexes, and the pixels of those above and below them. */
export interface Slice {
  readonly from: number;
  readonly to: number;
  readonly above: number;
  readonly below: number;
}

interface Keyed {
  readonly key: string;
  /** Days come and go with the messages around them. */
  readonly kind: "day" | "message";
}

/**
 * Picks the rows of a long list that have to be in the document: those around the screen. The others are two blank
 * spaces as high as they are, by what was measured when they were shown, or by a guess.
 */
export class RowWindow {
  readonly #heights = new Map<string, number>();
  #width = 0;

  /** Takes the true heights of the rows on the screen, at this width. It reports whether any is news. */
  measure(width: number, measured: Iterable<readonly [key: string, height: number]>): boolean {
    let news = false;
    if (width !== this.#width) {
      this.#heights.clear();
      this.#width = width;
    }
    for (const [key, height] of measured) {
      const known = this.#heights.get(key);
      if (known !== undefined && Math.abs(known - height) < 0.5) continue;
      this.#heights.set(key, height);
      news = true;
    }
    return news;
  }

  /** Forgets the rows that are no longer in the list. */
  retain(rows: readonly Keyed[]): void {
    if (this.#heights.size < rows.length * 2 + 100) return;
    const keys = new Set(rows.map((r) => r.key));
    for (const key of this.#heights.keys()) if (!keys.has(key)) this.#heights.delete(key);
  }

  /** The rows to show on a screen of this height, around the anchor; null is the end of the list. */
  slice(rows: readonly Keyed[], anchor: Anchor | null, height: number): Slice {
    const total = this.#sum(rows, 0, rows.length);
    const anchorTop = anchor ? this.topOf(rows, anchor.key) : undefined;
    const top = anchor && anchorTop !== undefined ? anchorTop - anchor.offset : total - height;
    let from = 0;
    let above = 0;
    for (const row of rows) {
      const next = above + this.#height(row);
      if (next > top - margin) break;
      above = next;
      from++;
    }
    let to = from;
    let end = above;
    for (const row of rows.slice(from)) {
      if (end > top + height + margin) break;
      end += this.#height(row);
      to++;
    }
    return { from, to, above, below: total - end };
  }

  /** The distance of a row from the start of the list. */
  topOf(rows: readonly Keyed[], key: string): number | undefined {
    let top = 0;
    for (const row of rows) {
      if (row.key === key) return top;
      top += this.#height(row);
    }
    return undefined;
  }

  /**
   * The message at this distance from the start of the list, or the next one. The first of the list is no hold: it loses
   * its heading when others come before it.
   */
  at(rows: readonly Keyed[], y: number): Anchor | null {
    let top = 0;
    let first: Anchor | null = null;
    for (const row of rows) {
      const height = this.#height(row);
      if (row.kind === "message") {
        const anchor = { key: row.key, offset: top - y };
        if (first && top + height > y) return anchor;
        first ??= anchor;
      }
      top += height;
    }
    return first;
  }

  #height(row: Keyed): number {
    return this.#heights.get(row.key) ?? guess;
  }

  #sum(rows: readonly Keyed[], from: number, to: number): number {
    let sum = 0;
    for (const row of rows.slice(from, to)) sum += this.#height(row);
    return sum;
  }
}
