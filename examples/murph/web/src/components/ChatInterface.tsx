import { useCallback, useEffect, useMemo } from "react";
import {
  ConnectionProvider,
  sharedConnection,
  useConnectionState,
  useConsultationEvents,
  useSession,
  type Api,
  type ConsultationSession,
  type SessionState,
} from "../murph";
import { useLanguage } from "../i18n/language";
import { ChatHeader } from "./ChatHeader";
import { MessageInput } from "./MessageInput";
import { MessageList } from "./MessageList";
import { describeError } from "./describe";
import { useToast } from "./toasts";

interface Props {
  readonly api: Api;
  readonly session: ConsultationSession;
  readonly draft: string;
  readonly onDraft: (text: string) => void;
  readonly onBack: () => void;
  /** Something happened that lists of consultations may want to show. */
  readonly onChange: () => void;
}

/** One consultation: header, messages, composer. */
export function ChatInterface(props: Props) {
  const state = useSession(props.session);
  const { transport } = state;
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
  const { log, transport, trouble, reachable, loadingOlder } = state;
  const connection = useConnectionState();
  useConsultationEvents(session, trouble === null ? transport?.channel : undefined);
  useEffect(onChange, [onChange, log.rev, log.consultation?.status]);

  const onRetry = useCallback((id: string) => session.retry(id), [session]);
  const onDiscard = useCallback((id: string) => session.discard(id), [session]);
  const onOlder = useCallback(() => {
    session.loadOlder().catch((err: unknown) => toast(describeError(err)));
  }, [session, toast]);

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
  return (
    <section className="chat" aria-label={c.topic}>
      <ChatHeader
        consultation={c}
        me={log.me}
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
        loadingOlder={loadingOlder}
        onOlder={onOlder}
        onRetry={onRetry}
        onDiscard={onDiscard}
      />
      {c.status === "IN_PROGRESS" ? (
        <MessageInput draft={draft} onDraft={onDraft} onSend={(content) => session.send(content)} />
      ) : (
        <p className="closed" role="status">
          {t.closed[c.status]}
        </p>
      )}
    </section>
  );
}
