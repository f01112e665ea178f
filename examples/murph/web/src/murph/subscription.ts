import type Pusher from "pusher-js";
import type { Channel, PresenceChannel } from "pusher-js";
import type { AuthorizationError } from "./authorize";

/** A channel's subscription. cycle counts the times that it succeeded: each asks for a catch-up. */
export interface ChannelStatus {
  readonly state: "pending" | "subscribed" | "denied";
  readonly cycle: number;
}

export const pendingStatus: ChannelStatus = { state: "pending", cycle: 0 };

/** Who sent a client event, by the server's word: known on presence channels only. */
export interface Sender {
  readonly user_id?: string;
}

export type EventHandler = (data: unknown, from?: Sender) => void;

/** What a subscription needs of its connection. */
export interface SubscriptionHost {
  readonly pusher: Pusher | null;
  readonly connected: boolean;
  /** Returns the milliseconds to wait in place of ms. */
  pause(ms: number): number;
  log(line: string): void;
}

interface Binding {
  readonly event: string;
  readonly run: EventHandler;
}

type Timer = ReturnType<typeof setTimeout>;

const answerTimeout = 10_000;
const longestPause = 30_000;

/**
 * One channel with its listeners. pusher-js forgets a channel whose authorisation failed, and waits for ever where the
 * server refuses on the socket or does not answer; here each of these is tried again, but for a refusal by the host.
 */
export class Subscription {
  readonly name: string;
  /** Why the endpoint did not grant the channel the last time. pusher-js hands on the text alone. */
  refused: AuthorizationError | null = null;
  readonly #host: SubscriptionHost;
  readonly #bindings = new Set<Binding>();
  readonly #watchers = new Set<() => void>();
  #channel: Channel | null = null;
  #status = pendingStatus;
  #members: ReadonlySet<string> | null = null;
  #attempts = 0;
  #timer: Timer | undefined;

  constructor(name: string, host: SubscriptionHost) {
    this.name = name;
    this.#host = host;
  }

  get status(): ChannelStatus {
    return this.#status;
  }

  /** The ids of those on a presence channel; null on others, and while it is not known. */
  get members(): ReadonlySet<string> | null {
    return this.#members;
  }

  get unused(): boolean {
    return this.#bindings.size === 0 && this.#watchers.size === 0;
  }

  /** Adds a listener; the returned function removes it and reports whether it was there. */
  bind(event: string, handler: EventHandler): () => boolean {
    const binding: Binding = {
      event,
      run: (data, from) => {
        try {
          if (from?.user_id === undefined) handler(data);
          else handler(data, from);
        } catch (err) {
          // One listener's fault is not to cost the others their event.
          console.error("murph: listener failed", err);
        }
      },
    };
    this.#bindings.add(binding);
    this.#channel?.bind(event, binding.run);
    return () => {
      this.#channel?.unbind(event, binding.run);
      return this.#bindings.delete(binding);
    };
  }

  watch(fn: () => void): () => boolean {
    this.#watchers.add(fn);
    return () => this.#watchers.delete(fn);
  }

  trigger(event: `client-${string}`, data: unknown): boolean {
    if (!this.#channel || this.#status.state !== "subscribed") return false;
    return this.#channel.trigger(event, data);
  }

  /** Begins the subscription on this client. */
  attach(pusher: Pusher): void {
    const channel = pusher.subscribe(this.name);
    this.#channel = channel;
    channel.bind("pusher:subscription_succeeded", () => {
      if (this.#channel !== channel) return;
      clearTimeout(this.#timer);
      this.#attempts = 0;
      this.#members = membersOf(channel);
      this.#setState("subscribed");
    });
    for (const event of ["pusher:member_added", "pusher:member_removed"]) {
      channel.bind(event, () => {
        if (this.#channel !== channel) return;
        this.#members = membersOf(channel);
        this.#tell();
      });
    }
    channel.bind("pusher:subscription_error", (err: unknown) => {
      if (this.#channel === channel) this.#onRefused(err);
    });
    for (const { event, run } of this.#bindings) channel.bind(event, run);
    if (this.#host.connected) this.onConnected();
  }

  /** Lets go of the client, which the caller ends or has lost. */
  detach(): void {
    clearTimeout(this.#timer);
    this.#channel?.unbind();
    this.#channel = null;
    if (this.#status.state === "subscribed") this.#setState("pending");
  }

  /**
   * Takes the answer of the authorisation endpoint while the channel is subscribed, and reports whether it is. pusher-js
   * asks for a new key then, because it cannot open an event, and may drop the event. So a new cycle begins, or the
   * subscription counts as refused.
   */
  onNewKey(refused: AuthorizationError | null): boolean {
    if (this.#status.state !== "subscribed") return false;
    this.refused = refused;
    if (refused) this.#onRefused(refused);
    else this.#setState("subscribed");
    return true;
  }

  /** pusher-js subscribes by itself now; this waits for the answer. */
  onConnected(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (this.#status.state !== "pending" || !this.#host.connected) return;
      this.#host.log("no answer to a subscription");
      this.#retryLater();
    }, this.#host.pause(answerTimeout));
  }

  onDisconnected(): void {
    clearTimeout(this.#timer);
    if (this.#status.state === "subscribed") this.#setState("pending");
  }

  /** Begins the subscription anew. */
  restart(): void {
    const { pusher } = this.#host;
    if (!pusher) return;
    this.detach();
    this.#setState("pending");
    forget(pusher, this.name);
    this.attach(pusher);
  }

  #onRefused(err: unknown): void {
    clearTimeout(this.#timer);
    const { refused } = this;
    this.refused = null;
    this.#host.log(`subscription refused: ${refused?.message ?? describe(err)}`);
    if (refused?.final) {
      this.#setState("denied");
      return;
    }
    this.#setState("pending");
    this.#retryLater();
  }

  #retryLater(): void {
    const delay = this.#host.pause(Math.min(longestPause, 1_000 * 2 ** this.#attempts++));
    this.#timer = setTimeout(() => this.restart(), delay);
  }

  #setState(state: ChannelStatus["state"]): void {
    if (state === this.#status.state && state !== "subscribed") return;
    if (state !== "subscribed") this.#members = null;
    this.#status = { state, cycle: this.#status.cycle + (state === "subscribed" ? 1 : 0) };
    this.#tell();
  }

  #tell(): void {
    for (const fn of [...this.#watchers]) fn();
  }
}

function membersOf(channel: Channel): ReadonlySet<string> | null {
  if (!channel.name.startsWith("presence-")) return null;
  const { members } = channel as unknown as Pick<PresenceChannel, "members">;
  return new Set(Object.keys(members.members as object));
}

/**
 * Ends a subscription in whatever state it is. pusher-js only marks one that is under way as cancelled; where that
 * then fails, the channel stays in its table and is subscribed again with the next connection.
 */
export function forget(pusher: Pusher, name: string): void {
  const channel = pusher.channel(name) as Channel | undefined;
  if (!channel?.subscriptionPending) {
    pusher.unsubscribe(name);
    return;
  }
  channel.subscriptionPending = false;
  pusher.channels.remove(name);
  pusher.send_event("pusher:unsubscribe", { channel: name });
}

function describe(err: unknown): string {
  const { type, status } = (err ?? {}) as { type?: unknown; status?: unknown };
  return [type, status].filter((v) => typeof v === "string" || typeof v === "number").join(" ") || "no reason given";
}
