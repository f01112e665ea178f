import { memo } from "react";
import { useLanguage } from "../i18n/language";
import type { MessageRow } from "./rows";
import { clockTime } from "./time";

interface Props {
  readonly row: MessageRow;
  readonly onRetry: (clientMessageId: string) => void;
  readonly onDiscard: (clientMessageId: string) => void;
}

/** One message. The content is text: React escapes it, and nothing here turns it into anything else. */
export const MessageItem = memo(function MessageItem({ row, onRetry, onDiscard }: Props) {
  const { t, language } = useLanguage();
  const failed = row.pending?.state === "failed" ? row.pending : null;
  const className = ["message", row.own ? "own" : "theirs", row.name !== null && "first", row.pending && row.pending.state];
  return (
    <li className={className.filter(Boolean).join(" ")} data-key={row.key}>
      {row.own ? (
        <span className="visually-hidden">{t.you}: </span>
      ) : (
        <span className={row.name === null ? "visually-hidden" : "sender"}>{row.name ?? ""}</span>
      )}
      <div className="bubble">
        {row.deleted ? <p className="content deleted">{t.deleted}</p> : <p className="content" dir="auto">{row.content}</p>}
        <p className="meta">
          {row.edited && <span>{t.edited}</span>}
          <time dateTime={row.at}>{clockTime(row.at, language)}</time>
          {row.own && <Delivery pending={row.pending !== null} failed={failed !== null} label={t.sending} />}
        </p>
      </div>
      {failed && (
        <div className="failure">
          <span>
            {t.failed} {failed.error}
          </span>
          <button type="button" className="link-button" onClick={() => onRetry(failed.clientMessageId)}>
            {t.retry}
          </button>
          <button type="button" className="link-button" onClick={() => onDiscard(failed.clientMessageId)}>
            {t.discard}
          </button>
        </div>
      )}
    </li>
  );
});

function Delivery(props: { readonly pending: boolean; readonly failed: boolean; readonly label: string }) {
  if (props.failed) return <span aria-hidden="true">!</span>;
  if (!props.pending) {
    return (
      <svg className="tick" viewBox="0 0 16 16" aria-hidden="true">
        <path d="M3 8.5 6.5 12 13 4.5" />
      </svg>
    );
  }
  return (
    <>
      <span className="visually-hidden">{props.label}</span>
      <svg className="tick" viewBox="0 0 16 16" aria-hidden="true">
        <circle cx="8" cy="8" r="5.5" />
        <path d="M8 5v3.2l2 1.3" />
      </svg>
    </>
  );
}
