import type { ChangesPage, Consultation, ConsultationList, HistoryPage, Message, Problem, ReadMark, Status } from "./types";

/** Milliseconds after which a request counts as lost. */
const requestTimeout = 15_000;

/** The server said no, or something that is no answer. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly problem: Problem,
    /** How long the server asks to wait, in milliseconds. */
    readonly retryAfter?: number,
  ) {
    super(problem.detail ?? problem.title ?? `HTTP ${status}`);
    this.name = "ApiError";
  }

  get code(): string {
    return this.problem.code ?? "";
  }
}

/**
 * Reports whether the same request may succeed later. Everything that is no answer of the server (no network, a
 * timeout) may; of its answers, those that say so.
 */
export function isTransient(err: unknown): boolean {
  if (!(err instanceof ApiError)) return true;
  return err.status === 408 || err.status === 425 || err.status === 429 || err.status >= 500;
}

export interface ApiOptions {
  /** Where the API is mounted. Defaults to the folder of the page. */
  readonly baseUrl?: string | URL;
  /** Sent with every request, for what the host wants to know. */
  readonly headers?: () => Readonly<Record<string, string>>;
  /** Defaults to the window's. A host puts its own login in here. */
  readonly fetch?: typeof fetch;
}

export interface SendParams {
  readonly consultationId: string;
  readonly content: string;
  readonly clientMessageId: string;
  /** The connection that need not be told of the message. */
  readonly socketId?: string;
}

/** A message of one's own that is to be changed, in the form in which the person has seen it. */
export interface Version {
  readonly id: string;
  /** If the message has another rev by now, the server answers 412 and changes nothing. */
  readonly rev: number;
}

/** The HTTP API of the server. It keeps no state but the tags of the answers that it was asked to poll. */
export class Api {
  readonly #base: URL;
  readonly #options: ApiOptions;
  readonly #tags = new Map<string, { url: string; tag: string }>();

  constructor(options: ApiOptions = {}) {
    this.#options = options;
    this.#base = new URL(options.baseUrl ?? ".", document.baseURI);
  }

  /** Resolves a path that the server gave, such as the address of its auth endpoint. */
  resolve(path: string): string {
    return new URL(path, this.#base).href;
  }

  /** Sends a request as the page's own; it is for whoever needs the bare answer. */
  async fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    for (const [name, value] of Object.entries(this.#options.headers?.() ?? {})) headers.set(name, value);
    const limit = AbortSignal.timeout(requestTimeout);
    return (this.#options.fetch ?? fetch)(this.resolve(path), {
      cache: "no-store",
      credentials: "same-origin",
      ...init,
      headers,
      signal: init.signal ? AbortSignal.any([init.signal, limit]) : limit,
    });
  }

  history(id: string, params: { before?: number; signal?: AbortSignal } = {}): Promise<HistoryPage> {
    const query = params.before === undefined ? "" : `?before=${params.before}`;
    return this.#get<HistoryPage>(`api/beratungen/${encodeURIComponent(id)}${query}`, params.signal);
  }

  /**
   * Returns what has changed since a rev, or null if nothing has since the last answer to the same question. The epoch is
   * that of the answer with the rev, "" for unknown.
   */
  async changes(id: string, since: number, epoch: string, signal?: AbortSignal): Promise<ChangesPage | null> {
    const query = new URLSearchParams({ since: String(since), ...(epoch !== "" && { epoch }) });
    const url = `api/beratungen/${encodeURIComponent(id)}?${query}`;
    const known = this.#tags.get(id);
    const headers = known?.url === url ? { "If-None-Match": known.tag } : undefined;
    const res = await this.fetch(url, { ...(headers && { headers }), ...(signal && { signal }) });
    if (res.status === 304) return null;
    const page = await read<ChangesPage>(res);
    const tag = res.headers.get("ETag");
    if (tag && !page.hasMore && !page.reset) this.#tags.set(id, { url, tag });
    else this.#tags.delete(id);
    return page;
  }

  list(params: { status?: Status; cursor?: string; signal?: AbortSignal } = {}): Promise<ConsultationList> {
    const query = new URLSearchParams();
    if (params.status !== undefined) query.set("status", params.status);
    if (params.cursor !== undefined) query.set("cursor", params.cursor);
    return this.#get<ConsultationList>(`api/beratungen${query.size > 0 ? `?${query}` : ""}`, params.signal);
  }

  send(params: SendParams, signal?: AbortSignal): Promise<Message> {
    return this.#write<Message>("POST", "api/nachrichten", params, signal);
  }

  /** Replaces the text of a message of one's own. To repeat it is safe. */
  edit(version: Version, content: string): Promise<Message> {
    return this.#write<Message>("PATCH", `api/nachrichten/${encodeURIComponent(version.id)}`, { content }, undefined, version);
  }

  /** Deletes a message of one's own and returns what stays in its place. To repeat it is safe. */
  remove(version: Version): Promise<Message> {
    return this.#write<Message>("DELETE", `api/nachrichten/${encodeURIComponent(version.id)}`, undefined, undefined, version);
  }

  /** Says that the person has seen everything up to seq, and returns the mark in force. */
  markRead(id: string, seq: number): Promise<ReadMark> {
    return this.#write<ReadMark>("POST", `api/beratungen/${encodeURIComponent(id)}/gelesen`, { seq });
  }

  request(topic: string): Promise<Consultation> {
    return this.#write<Consultation>("POST", "api/beratungen", { topic });
  }

  setStatus(id: string, status: Status): Promise<Consultation> {
    return this.#write<Consultation>("PATCH", `api/beratungen/${encodeURIComponent(id)}`, { status });
  }

  async #get<T>(path: string, signal?: AbortSignal): Promise<T> {
    return read<T>(await this.fetch(path, signal ? { signal } : {}));
  }

  async #write<T>(method: string, path: string, body: unknown, signal?: AbortSignal, version?: Version): Promise<T> {
    const headers: Record<string, string> = {};
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (version) headers["If-Match"] = `"${version.rev}"`;
    const init: RequestInit = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) };
    return read<T>(await this.fetch(path, { ...init, ...(signal && { signal }) }));
  }
}

async function read<T>(res: Response): Promise<T> {
  const text = await res.text();
  const type = res.headers.get("Content-Type") ?? "";
  const json = /[/+]json\b/.test(type) ? (JSON.parse(text) as unknown) : undefined;
  if (res.ok && json !== undefined) return json as T;
  const problem = typeof json === "object" && json !== null ? (json as Problem) : {};
  throw new ApiError(res.ok ? 502 : res.status, problem, retryAfter(res));
}

/** Retry-After (RFC 9110, section 10.2.3) is in seconds or a date. */
function retryAfter(res: Response): number | undefined {
  const value = res.headers.get("Retry-After");
  if (value === null) return undefined;
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}
