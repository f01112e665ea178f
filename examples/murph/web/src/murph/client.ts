import type Pusher from "pusher-js";
import { AuthorizationError, authorizeChannel, type Fetch } from "./authorize";
import { pusherOptions, type PageLocation } from "./config";
import { isEncrypted, pusherFor, type PusherClass } from "./load";
import { Subscription, forget, pendingStatus, type ChannelStatus, type EventHandler, type SubscriptionHost } from "./subscription";
import type { Transport } from "./types";

/** idle: nobody listens. interrupted: it was lost or refused and is being tried again. */
export type ConnectionState = "idle" | "connecting" | "connected" | "interrupted";

export interface ConnectionOptions {
  /** Asks the authorisation endpoint. */
  readonly fetch: Fetch;
  readonly location?: PageLocation;
  /** Gets one line for each change of state. Defaults to console.info. */
  readonly log?: (line: string) => void;
  /** Milliseconds that a connection without listeners stays open. Defaults to 5,000. */
  readonly linger?: number;
  /** Multiplies all pauses before something is tried again, for tests. Defaults to 1. */
  readonly pace?: number;
}

type Timer = ReturnType<typeof setTimeout>;

const pingTimeout = 4_000;

/**
 * One pusher-js client for all who listen on one server, with what pusher-js leaves to the page:
 *
 *  - channels are counted: the first listener subscribes, the last one to go unsubscribes, the socket follows;
 *  - a client that has given up ("failed", "disconnected") or takes long is replaced by a new one, after pauses of at
 *    most 15 s, or of a minute where the server has refused;
 *  - an answer of the authorisation endpoint to a socket that is gone is dropped instead of sent;
 *  - and what {@link Subscription} does for each channel.
 *
 * The constructor opens nothing.
 */
export class PusherConnection {
  readonly #transport: Transport;
  readonly #options: ConnectionOptions;
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #watchers = new Set<() => void>();
  readonly #host: SubscriptionHost;
  #pusher: Pusher | null = null;
  #encrypted = false;
  #opening = 0;
  #state: ConnectionState = "idle";
  #attempts = 0;
  #since = 0;
  #retry: Timer | undefined;
  #probe: Timer | undefined;
  #idle: Timer | undefined;

  constructor(transport: Transport, options: ConnectionOptions) {
    this.#transport = transport;
    this.#options = options;
    const pusher = () => this.#pusher;
    const connected = () => this.#state === "connected";
    this.#host = {
      get pusher() {
        return pusher();
      },
      get connected() {
        return connected();
      },
      pause: (ms) => this.#pause(ms),
      log: (line) => this.#log(line),
    };
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** The id of the socket while it is connected; the server spares it the sender's own events. */
  get socketId(): string | undefined {
    return this.#state === "connected" ? this.#pusher?.connection.socket_id : undefined;
  }

  /** Calls fn after each change of {@link state}, until the returned function is called. */
  watch(fn: () => void): () => void {
    this.#watchers.add(fn);
    return () => void this.#watchers.delete(fn);
  }

  /** Listens to an event of a channel, until the returned function is called. Calling that twice does no harm. */
  subscribe(channelName: string, event: string, handler: EventHandler): () => void {
    const sub = this.#join(channelName);
    return this.#leaver(sub, sub.bind(event, handler));
  }

  channelStatus(channelName: string): ChannelStatus {
    return this.#subscriptions.get(channelName)?.status ?? pendingStatus;
  }

  /** The ids of those on a presence channel; null on others, and while it is not known. */
  channelMembers(channelName: string): ReadonlySet<string> | null {
    return this.#subscriptions.get(channelName)?.members ?? null;
  }

  /** Calls fn after each change of a channel's status. It counts as a listener. */
  watchChannel(channelName: string, fn: () => void): () => void {
    const sub = this.#join(channelName);
    return this.#leaver(sub, sub.watch(fn));
  }

  /** Sends a client event. It reports false where that cannot be done now; such events are never kept. */
  trigger(channelName: string, event: `client-${string}`, data: unknown): boolean {
    return this.#subscriptions.get(channelName)?.trigger(event, data) ?? false;
  }

  /**
   * Looks after the connection when the page comes back: browsers drop sockets of hidden pages without a word. A
   * socket that seems open has to answer within four seconds.
   */
  wake(): void {
    const pusher = this.#pusher;
    if (!pusher) {
      if (this.#state === "interrupted" && this.#subscriptions.size > 0) this.#open();
      return;
    }
    for (const sub of this.#subscriptions.values()) if (sub.status.state === "denied") sub.restart();
    if (this.#state !== "connected") {
      this.#attempts = 0;
      if (this.#retry !== undefined || Date.now() - this.#since > 3_000) this.#rebuild();
      return;
    }
    clearTimeout(this.#probe);
    const alive = () => {
      clearTimeout(this.#probe);
      pusher.connection.unbind("message", alive);
    };
    pusher.connection.bind("message", alive);
    this.#probe = setTimeout(() => {
      alive();
      if (pusher !== this.#pusher) return;
      this.#log("no answer to a ping");
      this.#rebuild();
    }, pingTimeout * (this.#options.pace ?? 1));
    pusher.send_event("pusher:ping", {});
  }

  /** Closes the connection until {@link wake}: browsers keep no page for later that has one. */
  sleep(): void {
    if (this.#state !== "idle") this.#end("interrupted");
  }

  /** Closes the connection and forgets all listeners. */
  close(): void {
    clearTimeout(this.#idle);
    this.#end("idle");
    this.#subscriptions.clear();
  }

  #join(name: string): Subscription {
    clearTimeout(this.#idle);
    let sub = this.#subscriptions.get(name);
    if (!sub) {
      sub = new Subscription(name, this.#host);
      this.#subscriptions.set(name, sub);
      if (!this.#pusher) this.#open();
      else if (isEncrypted(name) && !this.#encrypted) this.#rebuild();
      else sub.attach(this.#pusher);
    }
    return sub;
  }

  #leaver(sub: Subscription, remove: () => boolean): () => void {
    return () => {
      // React unmounts and mounts again in one go; only who is still gone afterwards has left.
      if (remove()) setTimeout(() => this.#leave(sub), 0);
    };
  }

  #leave(sub: Subscription): void {
    if (!sub.unused || this.#subscriptions.get(sub.name) !== sub) return;
    this.#subscriptions.delete(sub.name);
    sub.detach();
    if (this.#pusher) forget(this.#pusher, sub.name);
    if (this.#subscriptions.size > 0) return;
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => {
      if (this.#subscriptions.size === 0) this.#end("idle");
    }, this.#options.linger ?? 5_000);
  }

  #open(): void {
    const { key } = this.#transport;
    if (!key) return;
    const opening = ++this.#opening;
    const build = pusherFor(this.#subscriptions.keys());
    if (!(build instanceof Promise)) {
      this.#openWith(build, key);
      return;
    }
    this.#setState(this.#attempts === 0 ? "connecting" : "interrupted");
    const wanted = () => opening === this.#opening && this.#subscriptions.size > 0;
    build.then(
      (loaded) => {
        if (wanted()) this.#openWith(loaded, key);
      },
      () => {
        if (!wanted()) return;
        this.#log("the build with encryption cannot be loaded");
        this.#retryAfter(1_000, 15_000);
      },
    );
  }

  #openWith(build: PusherClass, key: string): void {
    const page = this.#options.location ?? window.location;
    this.#encrypted = [...this.#subscriptions.keys()].some(isEncrypted);
    const pusher: Pusher = new build(
      key,
      pusherOptions(this.#transport, page, ({ socketId, channelName }, callback) => {
        const channel = pusher.channel(channelName);
        const current = () => pusher.connection.socket_id === socketId && pusher.channel(channelName) === channel;
        const endpoint = this.#transport.authEndpoint ?? "api/pusher/auth";
        authorizeChannel(this.#options.fetch, endpoint, { socketId, channelName }).then(
          (grant) => {
            if (!current()) return;
            callback(null, grant);
            this.#subscriptions.get(channelName)?.onNewKey(null);
          },
          (err: unknown) => {
            if (!current()) return;
            const sub = this.#subscriptions.get(channelName);
            const refused = err instanceof AuthorizationError ? err : null;
            if (sub?.onNewKey(refused)) return;
            if (sub) sub.refused = refused;
            callback(err as Error, null);
          },
        );
      }),
    );
    this.#pusher = pusher;
    this.#since = Date.now();
    pusher.connection.bind("state_change", this.#onStateChange);
    this.#setState(this.#attempts === 0 ? "connecting" : "interrupted");
    for (const sub of this.#subscriptions.values()) sub.attach(pusher);
  }

  #end(state: ConnectionState): void {
    const pusher = this.#pusher;
    clearTimeout(this.#retry);
    clearTimeout(this.#probe);
    this.#opening++;
    this.#retry = undefined;
    this.#pusher = null;
    for (const sub of this.#subscriptions.values()) sub.detach();
    if (pusher) {
      pusher.connection.unbind("state_change", this.#onStateChange);
      pusher.disconnect();
      // pusher-js keeps every client that there ever was. Its list is shared by subclasses: it must stay the same one.
      const { instances } = pusher.constructor as PusherClass;
      const at = instances.indexOf(pusher);
      if (at >= 0) instances.splice(at, 1);
    }
    this.#setState(state);
  }

  #rebuild(): void {
    this.#end("interrupted");
    this.#open();
  }

  readonly #onStateChange = ({ previous, current }: { previous: string; current: string }): void => {
    this.#log(`${previous} -> ${current}`);
    clearTimeout(this.#probe);
    if (current === "connected") {
      clearTimeout(this.#retry);
      this.#retry = undefined;
      this.#attempts = 0;
      this.#setState("connected");
      for (const sub of this.#subscriptions.values()) sub.onConnected();
      return;
    }
    for (const sub of this.#subscriptions.values()) sub.onDisconnected();
    if (current === "connecting") {
      this.#since = Date.now();
      if (this.#state !== "connecting") this.#setState("interrupted");
      return;
    }
    this.#setState("interrupted");
    // "disconnected" here is a refusal by the server, which time rarely mends.
    if (current === "disconnected") this.#retryAfter(5_000, 60_000);
    else this.#retryAfter(1_000, 15_000);
  };

  #retryAfter(base: number, limit: number): void {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#rebuild(), this.#pause(Math.min(limit, base * 2 ** this.#attempts++)));
  }

  #setState(state: ConnectionState): void {
    if (state === this.#state) return;
    this.#state = state;
    for (const fn of [...this.#watchers]) fn();
  }

  /** Adds up to a quarter either way, so that clients which lost the server together do not return together. */
  #pause(ms: number): number {
    return ms * (this.#options.pace ?? 1) * (0.75 + Math.random() / 2);
  }

  #log(line: string): void {
    (this.#options.log ?? defaultLog)(line);
  }
}

function defaultLog(line: string): void {
  console.info(`murph: connection: ${line}`);
}
