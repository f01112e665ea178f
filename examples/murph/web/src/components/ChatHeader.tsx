import { useState } from "react";
import type { Consultation, ConnectionState, Status } from "../murph";
import { useLanguage } from "../i18n/language";
import { ConfirmButton } from "./ConfirmButton";
import { ConnectionStatus } from "./ConnectionStatus";
import { fullName, initials } from "./rows";
import { useToast } from "./toasts";
import { describeError } from "./describe";

interface Props {
  readonly consultation: Consultation;
  readonly me: string;
  /** Whether the other person has the consultation open; null while that is not known. */
  readonly here: boolean | null;
  readonly connection: ConnectionState;
  readonly polling: boolean;
  readonly reachable: boolean;
  readonly onBack: () => void;
  readonly onStatus: (status: Status) => Promise<void>;
}

/** Who it is with, what it is about, how it stands, and what can be done about that. */
export function ChatHeader({ consultation: c, me, here, connection, polling, reachable, onBack, onStatus }: Props) {
  const { t } = useLanguage();
  const toast = useToast();
  const [busy, setBusy] = useState(false);
  const other = c.patient.id === me ? c.student : c.patient;
  const change = (status: Status) => {
    setBusy(true);
    onStatus(status)
      .catch((err: unknown) => toast(describeError(err)))
      .finally(() => setBusy(false));
  };
  return (
    <header className="chat-header">
      <button type="button" className="icon-button back" aria-label={t.backToList} onClick={onBack}>
        <svg viewBox="0 0 24 24" aria-hidden="true">
          <path d="M14.5 5 8 12l6.5 7" />
        </svg>
      </button>
      <span className="avatar" aria-hidden="true">
        {other ? initials(other) : "?"}
      </span>
      <div className="who">
        <h2>{other ? fullName(other) : t.nobodyYet}</h2>
        {here !== null && (
          <p className="presence" data-here={here}>
            <span className="dot" aria-hidden="true" />
            {here ? t.here : t.away}
          </p>
        )}
        <p className="topic">
          <span className="chip" data-status={c.status}>
            {t.status[c.status]}
          </span>
          <span className="text">{c.topic}</span>
        </p>
      </div>
      <div className="state">
        <ConnectionStatus connection={connection} polling={polling} reachable={reachable} />
        <div className="actions">
          {c.status === "IN_PROGRESS" && c.student?.id === me && (
            <ConfirmButton
              label={t.complete}
              question={t.confirmComplete}
              disabled={busy}
              onConfirm={() => change("COMPLETED")}
            />
          )}
          {(c.status === "REQUESTED" || c.status === "IN_PROGRESS") && (
            <ConfirmButton
              danger
              label={t.cancel}
              question={t.confirmCancel}
              disabled={busy}
              onConfirm={() => change("CANCELLED")}
            />
          )}
        </div>
      </div>
    </header>
  );
}
