import { Fragment, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react";
import { hasOlder, messagesInOrder, type LogState } from "../murph";
import { useLanguage } from "../i18n/language";
import { MessageItem } from "./MessageItem";
import { layOut, type Row } from "./rows";
import { dayName } from "./time";

interface Props {
  readonly log: LogState;
  readonly loadingOlder: boolean;
  readonly label: string;
  readonly onOlder: () => void;
  readonly onRetry: (clientMessageId: string) => void;
  readonly onDiscard: (clientMessageId: string) => void;
}

/** Closer to the end than this many pixels counts as being at the end. */
const nearEnd = 64;
/** Closer to the start than this, older history is loaded. */
const nearStart = 160;

/**
 * The messages. What was there when the list was opened stands in one list, what came since in a second one that screen
 * readers follow: were it one, they would read out all older history as it is loaded.
 *
 * The list stays at its end unless the reader has scrolled up; then it stays where it is, whatever is added above or below.
 */
export function MessageList({ log, loadingOlder, label, onOlder, onRetry, onDiscard }: Props) {
  const { t, language } = useLanguage();
  const [liveFrom] = useState(() => messagesInOrder(log).at(-1)?.seq ?? 0);
  const rows = useMemo(() => layOut(log, liveFrom), [log, liveFrom]);
  const scroller = useRef<HTMLDivElement>(null);
  const inner = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const before = useRef({ first: "", last: "", height: 0, pending: 0 });
  const [unseen, setUnseen] = useState(false);

  useLayoutEffect(() => {
    const el = scroller.current;
    if (!el) return;
    const was = before.current;
    const now = {
      first: rows.find((r) => r.kind === "message")?.key ?? "",
      last: rows.at(-1)?.key ?? "",
      height: el.scrollHeight,
      pending: log.pending.length,
    };
    before.current = now;
    // Whoever writes wants to see what they wrote.
    if (now.pending > was.pending) atEnd.current = true;
    if (atEnd.current) el.scrollTop = el.scrollHeight;
    else if (was.first !== "" && now.first !== was.first) el.scrollTop += now.height - was.height;
    else if (now.last !== was.last) setUnseen(true);
  }, [rows, log.pending.length]);

  useEffect(() => {
    const el = scroller.current;
    const content = inner.current;
    if (!el || !content) return;
    // The on-screen keyboard, a growing composer and a turned phone change the height without a render.
    const observer = new ResizeObserver(() => {
      if (atEnd.current) el.scrollTop = el.scrollHeight;
    });
    observer.observe(el);
    observer.observe(content);
    return () => observer.disconnect();
  }, []);

  const older = hasOlder(log);
  const onScroll = () => {
    const el = scroller.current;
    if (!el) return;
    atEnd.current = el.scrollHeight - el.scrollTop - el.clientHeight < nearEnd;
    if (atEnd.current) setUnseen(false);
    before.current = { ...before.current, height: el.scrollHeight };
    if (older && !loadingOlder && el.scrollTop < nearStart) onOlder();
  };
  const toEnd = () => {
    const el = scroller.current;
    if (!el) return;
    atEnd.current = true;
    el.scrollTop = el.scrollHeight;
    setUnseen(false);
  };

  const item = (row: Row) => (
    <Fragment key={row.key}>
      {row.kind === "day" ? (
        <li className="day">
          <span>{dayName(row.at, language, t)}</span>
        </li>
      ) : (
        <MessageItem row={row} onRetry={onRetry} onDiscard={onDiscard} />
      )}
    </Fragment>
  );
  return (
    <div className="messages">
      <div className="scroller" ref={scroller} onScroll={onScroll} tabIndex={0} role="group" aria-label={label}>
        <div className="inner" ref={inner}>
          {older && (
            <button type="button" className="link-button older" disabled={loadingOlder} onClick={onOlder}>
              {loadingOlder ? t.loading : t.older}
            </button>
          )}
          {rows.length === 0 && <p className="empty">{t.empty}</p>}
          <ol className="rows" aria-label={t.history}>
            {rows.filter((r) => !r.live).map(item)}
          </ol>
          <div role="log" aria-label={t.messages} aria-live="polite" aria-relevant="additions">
            <ol className="rows">{rows.filter((r) => r.live).map(item)}</ol>
          </div>
        </div>
      </div>
      {unseen && (
        <button type="button" className="to-end" onClick={toEnd}>
          <span aria-hidden="true">↓</span> {t.newMessages}
        </button>
      )}
    </div>
  );
}
