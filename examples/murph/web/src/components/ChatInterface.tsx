import { useCallback, useEffect, useMemo, useState } from "react";
import {
  ApiError,
  ConnectionProvider,
  sharedConnection,
  unreadCount,
  useConnectionState,
  useConsultationEvents,
  usePresence,
  useSession,
  type Api,
  type ConsultationSession,
  type SessionState,
} from "../murph";
import { useLanguage } from "../i18n/language";
import { ChatHeader } from "./ChatHeader";
import { Composer } from "./Composer";
import { MessageList } from "./MessageList";
import { describeError } from "./describe";
import type { MessageRow } from "./rows";
import { useToast } from "./toasts";

/** The server's own limit unless the host has set another. */
const editWindow = 15 * 60_000;

interface Props {
  readonly api: Api;
  readonly session: ConsultationSession;
  /** What the composer begins with. */
  readonly draft: () => string;
  readonly onDraft: (text: string) => void;
  readonly onBack: () => void;
  /** Something happened that lists of consultations may want to show; unread is how many messages are not read. */
  readonly onChange: (unread: number) => void;
}

/** One consultation: header, messages, composer. */
export function ChatInterface(props: Props) {
  const state = useSession(props.session);
  const { transport } = state.log;
  const connection = useMemo(() => (transport ? sharedConnection(props.api, transport) : null), [props.api, transport]);
  return (
    <ConnectionProvider connection={connection}>
      <Chat {...props} state={state} />
    </ConnectionProvider>
  );
}

function Chat({ session, state, draft, onDraft, onBack, onChange }: Props & { readonly state: SessionState }) {
  const { t } = useLanguage();
  const toast = useToast();
  const { log, trouble, reachable, loadingOlder } = state;
  const { transport } = log;
  const connection = useConnectionState();
  const open = trouble === null;
  useConsultationEvents(session, open ? transport?.channel : undefined);
  const presence = usePresence(session, open ? transport?.presenceChannel : undefined);
  const [editing, setEditing] = useState<string | null>(null);
  const unread = useMemo(() => unreadCount(log), [log]);
  useEffect(() => onChange(unread), [onChange, unread, log.rev, log.consultation?.status, trouble]);

  const report = useCallback((err: unknown) => toast(describeError(err)), [toast]);
  const onRetry = useCallback((id: string) => session.retry(id), [session]);
  const onDiscard = useCallback((id: string) => session.discard(id), [session]);
  const onOlder = useCallback(() => void session.loadOlder().catch(report), [session, report]);
  const onLook = useCallback((seq: number | null) => session.look(seq), [session]);
  const onEnd = useCallback(() => session.atEnd(), [session]);
  const onEdit = useCallback((row: MessageRow) => setEditing(row.id), []);
  const onRemove = useCallback(
    (row: MessageRow) => {
      session.remove({ id: row.id, rev: row.rev }).catch((err: unknown) => {
        // What was changed elsewhere meanwhile is on the screen in a moment, to be looked at before it goes.
        toast(err instanceof ApiError && err.status === 412 ? t.failure("stale") : describeError(err));
      });
    },
    [session, toast, t],
  );

  const c = log.consultation;
  if (trouble !== null || !c) {
    return (
      <section className="chat notice">
        <p role="status">{trouble === null ? (reachable ? t.loading : t.offline) : t[trouble]}</p>
        <button type="button" className="button quiet back" onClick={onBack}>
          {t.backToList}
        </button>
      </section>
    );
  }
  const other = c.patient.id === log.me ? c.student : c.patient;
  const typing = other !== undefined && presence.typing.has(other.id);
  return (
    <section className="chat" aria-label={c.topic}>
      <ChatHeader
        consultation={c}
        me={log.me}
        here={presence.here && other ? presence.here.has(other.id) : null}
        connection={connection}
        polling={transport?.driver === "poll"}
        reachable={reachable}
        onBack={onBack}
        onStatus={(status) => session.setStatus(status)}
      />
      <MessageList
        key={log.epoch}
        log={log}
        label={c.topic}
        typing={typing ? t.typing(other.firstName) : ""}
        editWindow={editWindow}
        loadingOlder={loadingOlder}
        onOlder={onOlder}
        onRetry={onRetry}
        onDiscard={onDiscard}
        onEdit={onEdit}
        onRemove={onRemove}
        onLook={onLook}
        onEnd={onEnd}
      />
      <Composer
        session={session}
        log={log}
        draft={draft}
        onDraft={onDraft}
        onType={presence.onType}
        onSent={presence.onSent}
        editing={editing}
        onEditing={setEditing}
      />
    </section>
  );
}
