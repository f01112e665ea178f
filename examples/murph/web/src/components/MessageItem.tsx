import { memo } from "react";
import { useLanguage } from "../i18n/language";
import type { MessageRow } from "./rows";
import { clockTime } from "./time";

interface Props {
  readonly row: MessageRow;
  readonly onRetry: (clientMessageId: string) => void;
  readonly onDiscard: (clientMessageId: string) => void;
  /** Absent where the message cannot be changed. */
  readonly onEdit: ((row: MessageRow) => void) | undefined;
  readonly onRemove: ((row: MessageRow) => void) | undefined;
}

/** One message. The content is text: React escapes it, and nothing here turns it into anything else. */
export const MessageItem = memo(function MessageItem({ row, onRetry, onDiscard, onEdit, onRemove }: Props) {
  const { t, language } = useLanguage();
  const failed = row.pending?.state === "failed" ? row.pending : null;
  const className = ["message", row.own ? "own" : "theirs", row.name !== null && "first", row.pending && row.pending.state];
  return (
    <li
      className={className.filter(Boolean).join(" ")}
      data-row={row.key}
      data-seq={row.own || row.seq === 0 ? undefined : row.seq}
    >
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
          {row.own && !row.deleted && <Delivery row={row} />}
        </p>
      </div>
      {(onEdit ?? onRemove) && (
        <div className="tools">
          {onEdit && (
            <button type="button" className="link-button" onClick={() => onEdit(row)}>
              {t.edit}
            </button>
          )}
          {onRemove && (
            <button type="button" className="link-button" onClick={() => onRemove(row)}>
              {t.remove}
            </button>
          )}
        </div>
      )}
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

/** On its way, with the server, or seen by the other person: in a drawing and in words. */
function Delivery({ row }: { readonly row: MessageRow }) {
  const { t } = useLanguage();
  if (row.pending?.state === "failed") return <span aria-hidden="true">!</span>;
  const [state, path] = row.pending
    ? (["sending", "M8 5v3.2l2 1.3"] as const)
    : row.read
      ? (["read", "M1 8.5 4.5 12 11 4.5M7.5 11.2l.8.8L15 4.5"] as const)
      : (["delivered", "M3 8.5 6.5 12 13 4.5"] as const);
  return (
    <span className="delivery" data-state={state}>
      <span className="visually-hidden">{t[state]}</span>
      <svg className="tick" viewBox="0 0 16 16" aria-hidden="true">
        {state === "sending" && <circle cx="8" cy="8" r="5.5" />}
        <path d={path} />
      </svg>
    </span>
  );
}
