import { useCallback, useEffect, useState, useSyncExternalStore } from "react";
import { useChannelMembers, useConnection, usePusherSubscription } from "./hooks";
import { messagesInOrder } from "./logState";
import type { ConsultationSession } from "./session";
import { TypingBoard } from "./typing";
import { useQuestionWhenDenied } from "./useConsultation";

/** The event by which a client tells that its person is typing. It carries nothing. */
const typingEvent = "client-typing";

export interface Presence {
  /** The ids of the people who have the consultation open, oneself included; null while that is not known. */
  readonly here: ReadonlySet<string> | null;
  /** The ids of the others who are typing. */
  readonly typing: ReadonlySet<string>;
  /** Call it with each change of what the person writes. */
  readonly onType: () => void;
  /** Call it when they have sent it. */
  readonly onSent: () => void;
}

/**
 * Who is here and who is typing, over the presence channel that the server names. None of it is certain, none of it is
 * stored, and without such a channel nothing is shown.
 */
export function usePresence(session: ConsultationSession, channelName: string | undefined): Presence {
  const connection = useConnection();
  const [board] = useState(() => new TypingBoard());
  const here = useChannelMembers(channelName);
  const typing = useSyncExternalStore(board.watch, board.typing);
  const { log } = useSyncExternalStore(session.watch, session.getState);
  const { me } = log;

  usePusherSubscription(channelName, typingEvent, (_, from) => {
    // The payload is whatever the sender likes. Whose event it is says the server.
    if (from?.user_id !== undefined && from.user_id !== me) board.heard(from.user_id);
  });
  usePusherSubscription<{ id?: unknown }>(channelName, "pusher:member_removed", (member) => {
    if (typeof member.id === "string") board.clear(member.id);
  });
  useQuestionWhenDenied(session, channelName);
  useEffect(
    () => () => {
      board.clearAll();
      board.sent(); // on another channel the next key is news again
    },
    [board, channelName],
  );

  const last = messagesInOrder(log).at(-1);
  useEffect(() => {
    if (last) board.clear(last.senderId);
  }, [board, last]);

  const others = here !== null && [...here].some((id) => id !== me);
  const onType = useCallback(() => {
    if (!connection || !channelName || !others) return;
    board.pressed(() => connection.trigger(channelName, typingEvent, {}));
  }, [board, connection, channelName, others]);
  const onSent = useCallback(() => board.sent(), [board]);
  return { here, typing, onType, onSent };
}
