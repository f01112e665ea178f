import { useId, useState } from "react";
import type { ConsultationItem } from "../murph";
import { useLanguage } from "../i18n/language";
import { countUpTo } from "../i18n/texts";
import { fullName, initials } from "./rows";

interface Props {
  readonly me: string;
  readonly role: string;
  readonly items: readonly ConsultationItem[] | null;
  readonly openRequests: readonly ConsultationItem[];
  readonly selected: string | null;
  readonly onSelect: (id: string) => void;
  readonly onAccept: (id: string) => void;
  readonly onRequest: (topic: string) => void;
  /** Absent when all are shown. */
  readonly onMore: (() => void) | undefined;
}

/** The person's consultations; for a student also what is waiting for one, for a patient a way to ask for one. */
export function ConsultationList(props: Props) {
  const { t } = useLanguage();
  const { items, openRequests, me } = props;
  return (
    <nav className="list" aria-label={t.consultations}>
      {props.role === "PATIENT" && <RequestForm onRequest={props.onRequest} />}
      {openRequests.length > 0 && (
        <>
          <h2>{t.openRequests}</h2>
          <ul>
            {openRequests.map((c) => (
              <li key={c.id} className="request">
                <span className="avatar" aria-hidden="true">
                  {initials(c.patient)}
                </span>
                <span className="text">
                  <strong>{fullName(c.patient)}</strong>
                  <span>{c.topic}</span>
                </span>
                <button
                  type="button"
                  className="button"
                  aria-label={`${t.accept}: ${c.topic}`}
                  onClick={() => props.onAccept(c.id)}
                >
                  {t.accept}
                </button>
              </li>
            ))}
          </ul>
        </>
      )}
      <h2>{t.mine}</h2>
      {items === null && <p className="empty">{t.loading}</p>}
      {items?.length === 0 && <p className="empty">{t.noConsultations}</p>}
      <ul>
        {items?.map((c) => {
          const other = c.patient.id === me ? c.student : c.patient;
          return (
            <li key={c.id}>
              <button
                type="button"
                className="entry"
                aria-current={c.id === props.selected ? "true" : undefined}
                onClick={() => props.onSelect(c.id)}
              >
                <span className="avatar" aria-hidden="true">
                  {other ? initials(other) : "?"}
                </span>
                <span className="text">
                  <strong>{other ? fullName(other) : t.nobodyYet}</strong>
                  <span className="topic">{c.topic}</span>
                  {c.lastMessage && !c.lastMessage.deletedAt && <span className="preview">{c.lastMessage.content}</span>}
                </span>
                <span className="side">
                  <span className="chip" data-status={c.status}>
                    {t.status[c.status]}
                  </span>
                  {(c.unread ?? 0) > 0 && (
                    <span className="unread">
                      <span aria-hidden="true">{countUpTo(c.unread ?? 0)}</span>
                      <span className="visually-hidden">{t.unread(c.unread ?? 0)}</span>
                    </span>
                  )}
                </span>
              </button>
            </li>
          );
        })}
      </ul>
      {props.onMore && (
        <button type="button" className="link-button more" onClick={props.onMore}>
          {t.more}
        </button>
      )}
    </nav>
  );
}

function RequestForm({ onRequest }: { readonly onRequest: (topic: string) => void }) {
  const { t } = useLanguage();
  const [topic, setTopic] = useState("");
  const id = useId();
  return (
    <form
      className="request-form"
      onSubmit={(e) => {
        e.preventDefault();
        if (topic.trim() === "") return;
        onRequest(topic.trim());
        setTopic("");
      }}
    >
      <label htmlFor={id}>{t.newConsultation}</label>
      <div>
        <input id={id} value={topic} maxLength={500} placeholder={t.topic} onChange={(e) => setTopic(e.target.value)} />
        <button type="submit" className="button" disabled={topic.trim() === ""}>
          {t.request}
        </button>
      </div>
    </form>
  );
}
