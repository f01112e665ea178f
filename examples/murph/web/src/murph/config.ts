import type { ChannelAuthorizationHandler, Options } from "pusher-js";
import type { Transport } from "./types";

/** What of a page's address the defaults are taken from. */
export type PageLocation = Pick<Location, "hostname" | "port" | "protocol">;

/**
 * Makes pusher-js options out of the `transport` that the server sent.
 *
 *  - pusher-js throws without a cluster, also where wsHost makes it meaningless.
 *  - Without enabledTransports it falls back to scripts and sockets of pusher.com, whatever wsHost says.
 *  - Where TLS is off and "wss" on, it opens a second, encrypted connection when the first takes over two seconds. A
 *    server that names no port for that has none.
 *  - Its own 120 s until it asks a silent connection for a sign of life are too long for a conversation.
 */
export function pusherOptions(t: Transport, page: PageLocation, authorize: ChannelAuthorizationHandler): Options {
  const secure = page.protocol === "https:";
  const common: Options = {
    cluster: t.cluster ?? "self",
    enabledTransports: ["ws", "wss"],
    channelAuthorization: { customHandler: authorize },
    activityTimeout: 30_000,
    pongTimeout: 8_000,
    unavailableTimeout: 6_000,
  };
  if (t.driver === "pusher" && t.wsHost === undefined) {
    return t.forceTLS === undefined ? common : { ...common, forceTLS: t.forceTLS };
  }
  const forceTLS = t.forceTLS ?? secure;
  const own = t.wsHost === undefined && page.port !== "" ? Number(page.port) : undefined;
  const wsPort = t.wsPort ?? (secure ? undefined : own);
  const wssPort = t.wssPort ?? (secure || forceTLS ? own : undefined);
  return {
    ...common,
    enabledTransports: forceTLS || secure || t.wssPort !== undefined ? ["ws", "wss"] : ["ws"],
    wsHost: t.wsHost ?? page.hostname,
    forceTLS,
    ...(wsPort !== undefined && { wsPort }),
    ...(wssPort !== undefined && { wssPort }),
    ...(t.wsPath !== undefined && { wsPath: t.wsPath }),
  };
}

/** Two transports with the same key share one connection: they differ in their channels at most. */
export function connectionKey(t: Transport): string {
  return JSON.stringify([
    t.driver, t.key, t.cluster, t.wsHost, t.wsPort, t.wssPort, t.wsPath, t.forceTLS, t.authEndpoint,
  ]);
}
