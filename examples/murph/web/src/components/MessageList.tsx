import { useEffect, useLayoutEffect, useMemo, useReducer, useRef, useState } from "react";
import { hasOlder, messagesInOrder, type LogState } from "../murph";
import { useLanguage } from "../i18n/language";
import { ConfirmDialog } from "./ConfirmDialog";
import { MessageItem } from "./MessageItem";
import { RowWindow, type Anchor } from "./rowWindow";
import { layOut, type MessageRow, type Row } from "./rows";
import { dayName } from "./time";
import { useSight } from "./useSight";

interface Props {
  readonly log: LogState;
  readonly loadingOlder: boolean;
  readonly label: string;
  /** Who is writing, in words. */
  readonly typing: string;
  /** Milliseconds after which a message of one's own can no longer be changed. */
  readonly editWindow: number;
  readonly onOlder: () => void;
  readonly onRetry: (clientMessageId: string) => void;
  readonly onDiscard: (clientMessageId: string) => void;
  readonly onEdit: (row: MessageRow) => void;
  readonly onRemove: (row: MessageRow) => void;
  /** Which message of others is the lowest in sight; null when nobody is looking. */
  readonly onLook: (seq: number | null) => void;
  readonly onEnd: () => void;
}

interface View {
  /** What stays in its place; null: the end of the list does. */
  readonly anchor: Anchor | null;
  /** The newest message when the reader left the end. */
  readonly seenTo: number;
}

const atTheEnd: View = { anchor: null, seenTo: 0 };
/** Closer to the end than this many pixels counts as being at the end. */
const nearEnd = 64;
/** Closer to the start than this, older history is loaded. */
const nearStart = 400;

/**
 * The messages. What was there when the list was opened stands in one list, what came since in a second one that screen
 * readers follow: were it one, they would read out all older history as it is loaded. While the reader is elsewhere
 * they do not follow it, because rows come and go with scrolling; the button to the end says what is new.
 *
 * The list stays at its end unless the reader has scrolled up; then it stays where it is, whatever is added above or
 * below. Only the rows around the screen are in the document.
 */
export function MessageList(props: Props) {
  const { log, loadingOlder, onLook, onEnd, onOlder } = props;
  const { t, language } = useLanguage();
  const [liveFrom] = useState(() => messagesInOrder(log).at(-1)?.seq ?? 0);
  const rows = useMemo(() => layOut(log, liveFrom), [log, liveFrom]);
  const [rowWindow] = useState(() => new RowWindow());
  const [view, setView] = useState(atTheEnd);
  const [height, setHeight] = useState(() => window.innerHeight);
  const [, measureAgain] = useReducer((n: number) => n + 1, 0);
  const [removing, setRemoving] = useState<MessageRow | null>(null);
  const now = useMinute();
  const scroller = useRef<HTMLDivElement>(null);
  const inner = useRef<HTMLDivElement>(null);
  const start = useRef<HTMLDivElement>(null);
  const place = useRef<{ key: string; top: number } | null>(null);
  const wasPending = useRef(0);

  // What one wrote and has discarded holds nothing any more.
  const anchor = view.anchor && rowWindow.topOf(rows, view.anchor.key) !== undefined ? view.anchor : null;
  const slice = rowWindow.slice(rows, anchor, height);
  const shown = rows.slice(slice.from, slice.to);
  const older = hasOlder(log);
  const ended = anchor === null;
  const unseen = ended ? 0 : messagesInOrder(log).filter((m) => m.seq > view.seenTo && m.senderId !== log.me).length;

  useLayoutEffect(() => {
    // Whoever writes wants to see what they wrote.
    if (log.pending.length > wasPending.current) setView(atTheEnd);
    wasPending.current = log.pending.length;
  }, [log.pending.length]);

  useLayoutEffect(() => {
    const el = scroller.current;
    if (!el || !inner.current) return;
    const measured = [...inner.current.querySelectorAll<HTMLElement>("[data-row]")].map(
      (row) => [row.dataset["row"] ?? "", row.getBoundingClientRect().height] as const,
    );
    if (rowWindow.measure(inner.current.clientWidth, measured)) {
      measureAgain();
      return;
    }
    rowWindow.retain(rows);
    if (ended) {
      el.scrollTop = el.scrollHeight;
      return;
    }
    const { key } = anchor;
    const top = (start.current?.offsetTop ?? 0) + (rowWindow.topOf(rows, key) ?? 0);
    if (place.current?.key === key && place.current.top !== top) el.scrollTop += top - place.current.top;
    place.current = { key, top };
  });

  useEffect(() => {
    const el = scroller.current;
    const content = inner.current;
    if (!el || !content) return;
    // The on-screen keyboard, a growing composer and a turned phone change the size without a render.
    const observer = new ResizeObserver(() => {
      setHeight(el.clientHeight);
      measureAgain();
    });
    observer.observe(el);
    observer.observe(content);
    return () => observer.disconnect();
  }, []);

  useEffect(() => {
    if (ended) onEnd();
  }, [ended, onEnd, log]);
  const look = useSight(scroller, onLook);
  useEffect(look);

  const onScroll = () => {
    const el = scroller.current;
    if (!el) return;
    look();
    if (older && !loadingOlder && el.scrollTop < nearStart) onOlder();
    if (el.scrollHeight - el.scrollTop - el.clientHeight < nearEnd) {
      setView(atTheEnd);
      return;
    }
    const listTop = start.current?.offsetTop ?? 0;
    const next = rowWindow.at(rows, el.scrollTop - listTop);
    if (!next) return;
    place.current = { key: next.key, top: el.scrollTop + next.offset };
    const seenTo = ended ? (messagesInOrder(log).at(-1)?.seq ?? 0) : view.seenTo;
    setView({ anchor: next, seenTo });
  };

  const editable = (row: MessageRow) =>
    row.own && row.pending === null && !row.deleted && log.consultation?.status === "IN_PROGRESS"
    && now - Date.parse(row.at) < props.editWindow;
  const item = (row: Row) =>
    row.kind === "day" ? (
      <li className="day" key={row.key} data-row={row.key}>
        <span>{dayName(row.at, language, t)}</span>
      </li>
    ) : (
      <MessageItem
        key={row.key}
        row={row}
        onRetry={props.onRetry}
        onDiscard={props.onDiscard}
        onEdit={editable(row) ? props.onEdit : undefined}
        onRemove={editable(row) ? setRemoving : undefined}
      />
    );
  return (
    <div className="messages">
      <div className="scroller" ref={scroller} onScroll={onScroll} tabIndex={0} role="group" aria-label={props.label}>
        <div className="inner" ref={inner}>
          {older && (
            <button type="button" className="link-button older" disabled={loadingOlder} onClick={onOlder}>
              {loadingOlder ? t.loading : t.older}
            </button>
          )}
          {rows.length === 0 && <p className="empty">{t.empty}</p>}
          <div ref={start} style={{ height: slice.above }} />
          <ol className="rows" aria-label={t.history}>
            {shown.filter((r) => !r.live).map(item)}
          </ol>
          <div role="log" aria-label={t.messages} aria-live={ended ? "polite" : "off"} aria-relevant="additions">
            <ol className="rows">{shown.filter((r) => r.live).map(item)}</ol>
          </div>
          <div style={{ height: slice.below }} />
        </div>
      </div>
      <p className="typing" role="status">
        {props.typing}
      </p>
      <div role="status">
        {!ended && (
          <button type="button" className={unseen > 0 ? "to-end news" : "to-end"} onClick={() => setView(atTheEnd)}>
            <span aria-hidden="true">↓</span> {t.newMessages(unseen)}
          </button>
        )}
      </div>
      {removing && (
        <ConfirmDialog
          danger
          question={t.confirmRemove}
          label={t.remove}
          onConfirm={() => props.onRemove(removing)}
          onClose={() => setRemoving(null)}
        />
      )}
    </div>
  );
}

/** The time, as of the last half minute. */
function useMinute(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 30_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}
