import { useState } from "react";
import { ApiError, messagesInOrder, type ConsultationSession, type LogState, type Message } from "../murph";
import { useLanguage } from "../i18n/language";
import { describeError } from "./describe";
import { MessageInput } from "./MessageInput";
import { useToast } from "./toasts";

interface Props {
  readonly session: ConsultationSession;
  readonly log: LogState;
  /** What the composer begins with. */
  readonly draft: () => string;
  readonly onDraft: (text: string) => void;
  readonly onType: () => void;
  readonly onSent: () => void;
  /** The id of the message that is being changed. */
  readonly editing: string | null;
  readonly onEditing: (id: string | null) => void;
}

/** Where one writes, or changes what one wrote; and where that is not possible, why. */
export function Composer({ session, log, draft, onDraft, onType, onSent, editing, onEditing }: Props) {
  const { t } = useLanguage();
  const [edited, setEdited] = useState(false);
  const c = log.consultation;
  if (!c) return null;
  if (c.status !== "IN_PROGRESS") {
    return (
      <p className="closed" role="status">
        {t.closed[c.status]}
      </p>
    );
  }
  const message = editing === null ? undefined : log.messages.get(editing);
  if (message) {
    const onStop = () => {
      setEdited(true);
      onEditing(null);
    };
    return <Editor key={message.id} session={session} message={message} onStop={onStop} />;
  }
  const lastOwn = messagesInOrder(log).findLast((m) => m.senderId === log.me && m.deletedAt === undefined);
  return (
    <MessageInput
      key="new"
      text={draft()}
      focused={edited}
      onText={(text) => {
        onDraft(text);
        if (text !== "") onType();
      }}
      onSend={(content) => {
        session.send(content);
        onSent();
        return Promise.resolve(true);
      }}
      {...(lastOwn && { onUp: () => onEditing(lastOwn.id) })}
    />
  );
}

interface EditorProps {
  readonly session: ConsultationSession;
  readonly message: Message;
  readonly onStop: () => void;
}

/** Changes one message. Where it was changed elsewhere meanwhile, the person is told and may insist. */
function Editor({ session, message, onStop }: EditorProps) {
  const { t } = useLanguage();
  const toast = useToast();
  const [base, setBase] = useState(message.rev);
  const save = async (content: string) => {
    try {
      if (content !== message.content) await session.edit({ id: message.id, rev: base }, content);
      onStop();
      return true;
    } catch (err) {
      const stale = err instanceof ApiError && err.status === 412 ? err.problem.rev : undefined;
      if (stale !== undefined) setBase(stale);
      toast(stale === undefined ? describeError(err) : t.editConflict);
      return false;
    }
  };
  return <MessageInput editing focused text={message.content} onText={() => undefined} onSend={save} onStop={onStop} />;
}
