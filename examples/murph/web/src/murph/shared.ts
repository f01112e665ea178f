import type { Api } from "./api";
import { PusherConnection } from "./client";
import { connectionKey } from "./config";
import type { Transport } from "./types";

const shared = new WeakMap<Api, Map<string, PusherConnection>>();

/** Returns the one connection that all users of an Api share for this transport; null where there is only polling. */
export function sharedConnection(api: Api, transport: Transport): PusherConnection | null {
  if (transport.driver === "poll" || !transport.key) return null;
  let connections = shared.get(api);
  if (!connections) shared.set(api, (connections = new Map<string, PusherConnection>()));
  const key = connectionKey(transport);
  let connection = connections.get(key);
  if (!connection) {
    connection = new PusherConnection(transport, { fetch: (url, init) => api.fetch(url, init) });
    connections.set(key, connection);
  }
  return connection;
}
