import type { PendingMessage } from "./logState";

/** What of the browser's Storage is needed. */
export type KeeperStorage = Pick<Storage, "getItem" | "setItem" | "removeItem">;

/**
 * Keeps what a person has typed and the server does not have yet: drafts and unsent messages, for each consultation.
 *
 * By default they last as long as the tab, reloads included, and no longer: what people write here is confidential, and
 * the browser may be a shared one. A storage that is full, broken or forbidden costs only the keeping.
 */
export class Keeper {
  readonly #storage: KeeperStorage | null;
  readonly #me: string;

  constructor(me: string, storage: KeeperStorage | null = tabStorage()) {
    this.#me = me;
    this.#storage = storage;
  }

  draft(consultationId: string): string {
    const value = this.#get(consultationId, "draft");
    return typeof value === "string" ? value : "";
  }

  keepDraft(consultationId: string, text: string): void {
    this.#put(consultationId, "draft", text === "" ? undefined : text);
  }

  pending(consultationId: string): readonly PendingMessage[] {
    const value = this.#get(consultationId, "unsent");
    return Array.isArray(value) ? value.filter(isPending) : [];
  }

  keepPending(consultationId: string, pending: readonly PendingMessage[]): void {
    this.#put(consultationId, "unsent", pending.length === 0 ? undefined : pending);
  }

  /** Forgets everything about a consultation that is no longer the person's. */
  forget(consultationId: string): void {
    this.#put(consultationId, "draft", undefined);
    this.#put(consultationId, "unsent", undefined);
  }

  #get(consultationId: string, what: string): unknown {
    try {
      const text = this.#storage?.getItem(this.#key(consultationId, what));
      return text ? (JSON.parse(text) as unknown) : undefined;
    } catch {
      return undefined;
    }
  }

  #put(consultationId: string, what: string, value: unknown): void {
    const key = this.#key(consultationId, what);
    try {
      if (value === undefined) this.#storage?.removeItem(key);
      else this.#storage?.setItem(key, JSON.stringify(value));
    } catch {
      // It is still on the screen.
    }
  }

  /** Ids have no colon in them. */
  #key(consultationId: string, what: string): string {
    return `murph:${this.#me}:${consultationId}:${what}`;
  }
}

function tabStorage(): KeeperStorage | null {
  try {
    return window.sessionStorage;
  } catch {
    return null;
  }
}

function isPending(v: unknown): v is PendingMessage {
  const p = (v ?? {}) as Record<string, unknown>;
  return typeof p["clientMessageId"] === "string" && typeof p["content"] === "string" && typeof p["createdAt"] === "string"
    && (p["state"] === "sending" || p["state"] === "failed");
}
