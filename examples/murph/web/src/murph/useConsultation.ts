import { useEffect, useSyncExternalStore } from "react";
import { useChannelStatus, useConnection, useConnectionState, usePusherSubscription } from "./hooks";
import type { ConsultationSession, SessionState } from "./session";

/** Runs a session while the component is mounted, and wakes it when the page or the network comes back. */
export function useSession(session: ConsultationSession): SessionState {
  useEffect(() => session.start(), [session]);
  return useSyncExternalStore(session.watch, session.getState);
}

/**
 * Asks the server when it refuses to authorize a channel. The answer names the present channel where another student
 * has taken over, and tells a person who lost their part.
 */
export function useQuestionWhenDenied(session: ConsultationSession, channelName: string | undefined): void {
  const connection = useConnection();
  const { state } = useChannelStatus(channelName);
  useEffect(() => {
    if (state === "denied") session.catchUp();
  }, [session, connection, channelName, state]);
}

/**
 * Feeds a session with the events of its channel, the present `log.transport.channel`. Each time that the subscription
 * has succeeded, also after a move to another channel, it asks for what was missed.
 */
export function useConsultationEvents(session: ConsultationSession, channelName: string | undefined): void {
  const connection = useConnection();
  const connectionState = useConnectionState();
  const { state, cycle } = useChannelStatus(channelName);

  usePusherSubscription(channelName, "new-message", (data) => session.handleEvent("new-message", data));
  usePusherSubscription(channelName, "message-updated", (data) => session.handleEvent("message-updated", data));
  usePusherSubscription(channelName, "message-deleted", (data) => session.handleEvent("message-deleted", data));
  usePusherSubscription(channelName, "status-update", (data) => session.handleEvent("status-update", data));
  usePusherSubscription(channelName, "consultation-updated", (data) => session.handleEvent("consultation-updated", data));
  usePusherSubscription(channelName, "messages-read", (data) => session.handleEvent("messages-read", data));
  usePusherSubscription(channelName, "resync-required", (data) => session.handleEvent("resync-required", data));

  useEffect(() => {
    session.setLink(connectionState === "connected" && state === "subscribed", connection?.socketId);
    return () => session.setLink(false, undefined);
  }, [session, connection, connectionState, state, cycle]);

  useEffect(() => {
    if (cycle > 0) session.catchUp();
  }, [session, connection, channelName, cycle]);
  useQuestionWhenDenied(session, channelName);

  useEffect(() => {
    const wake = () => {
      session.wake();
      connection?.wake();
    };
    const shown = () => {
      if (document.visibilityState === "visible") wake();
    };
    // A page out of the back-forward cache fires this one only. It is kept there only if it has no open connection.
    const restored = (e: PageTransitionEvent) => {
      if (e.persisted) wake();
    };
    const left = () => connection?.sleep();
    document.addEventListener("visibilitychange", shown);
    document.addEventListener("resume", shown);
    window.addEventListener("pagehide", left);
    window.addEventListener("pageshow", restored);
    window.addEventListener("online", shown);
    return () => {
      document.removeEventListener("visibilitychange", shown);
      document.removeEventListener("resume", shown);
      window.removeEventListener("pagehide", left);
      window.removeEventListener("pageshow", restored);
      window.removeEventListener("online", shown);
    };
  }, [session, connection]);
}
