import { createContext, useCallback, useContext, useEffect, useLayoutEffect, useRef, useSyncExternalStore } from "react";
import type { ReactNode } from "react";
import type { ConnectionState, PusherConnection } from "./client";
import { pendingStatus, type ChannelStatus, type Sender } from "./subscription";

const ConnectionContext = createContext<PusherConnection | null>(null);

/** Gives the hooks below their connection. null means that there is none, and they do nothing. */
export function ConnectionProvider(props: { readonly connection: PusherConnection | null; readonly children: ReactNode }) {
  return <ConnectionContext value={props.connection}>{props.children}</ConnectionContext>;
}

export function useConnection(): PusherConnection | null {
  return useContext(ConnectionContext);
}

/**
 * Calls callback with the payload of each event of this name on this channel, as long as the component is mounted.
 *
 * Components that name the same channel share its subscription. The callback may be a new function with every render:
 * nothing is bound anew, and it is always the latest that is called. No channel name, no subscription.
 *
 * An event is a hint and may be lost: what must not be missed is fetched when {@link useChannelStatus} changes.
 */
export function usePusherSubscription<T = unknown>(
  channelName: string | null | undefined,
  eventName: string,
  callback: (data: T, from?: Sender) => void,
): void {
  const connection = useConnection();
  const latest = useRef(callback);
  useLayoutEffect(() => {
    latest.current = callback;
  });
  useEffect(() => {
    if (!connection || !channelName) return;
    return connection.subscribe(channelName, eventName, (data, from) => latest.current(data as T, from));
  }, [connection, channelName, eventName]);
}

const never = () => () => undefined;

function useChannelWatch(channelName: string | null | undefined): (fn: () => void) => () => void {
  const connection = useConnection();
  return useCallback(
    (fn: () => void) => (connection && channelName ? connection.watchChannel(channelName, fn) : never()),
    [connection, channelName],
  );
}

/** The state of a channel's subscription; each new cycle is a time to fetch what was missed. */
export function useChannelStatus(channelName: string | null | undefined): ChannelStatus {
  const connection = useConnection();
  return useSyncExternalStore(useChannelWatch(channelName), () =>
    connection && channelName ? connection.channelStatus(channelName) : pendingStatus,
  );
}

/** The ids of those on a presence channel, oneself included; null while that is not known. */
export function useChannelMembers(channelName: string | null | undefined): ReadonlySet<string> | null {
  const connection = useConnection();
  return useSyncExternalStore(useChannelWatch(channelName), () =>
    connection && channelName ? connection.channelMembers(channelName) : null,
  );
}

export function useConnectionState(): ConnectionState {
  const connection = useConnection();
  const watch = useCallback((fn: () => void) => connection?.watch(fn) ?? never(), [connection]);
  return useSyncExternalStore(watch, () => connection?.state ?? "idle");
}
