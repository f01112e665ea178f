import { useEffect, useId, useLayoutEffect, useRef, useState, type KeyboardEvent } from "react";
import { useLanguage } from "../i18n/language";

/** The server's own limit unless the host has set another. */
const maxCharacters = 5_000;
const warnFrom = 4_500;

interface Props {
  /** What the field begins with. */
  readonly text: string;
  /** A message that is there already is being changed. */
  readonly editing?: boolean;
  /** It takes the focus when it appears. */
  readonly focused?: boolean;
  /** Is told of each change by the person. */
  readonly onText: (text: string) => void;
  /** Takes the content; where it is refused, the text stays. */
  readonly onSend: (content: string) => Promise<boolean>;
  /** Ends editing. */
  readonly onStop?: () => void;
  /** The arrow up in an empty field. */
  readonly onUp?: () => void;
}

/** The composer. Enter sends; on a touch keyboard, which has no Shift and Enter, it starts a new line. */
export function MessageInput({ text: initial, editing = false, focused = false, onText, onSend, onStop, onUp }: Props) {
  const { t } = useLanguage();
  const [text, setText] = useState(initial);
  const [busy, setBusy] = useState(false);
  const field = useRef<HTMLTextAreaElement>(null);
  const id = useId();
  const content = text.trim();
  // The server counts characters, not UTF-16 units.
  const length = Array.from(content).length;
  const sendable = length > 0 && length <= maxCharacters && !busy;

  useLayoutEffect(() => {
    const el = field.current;
    if (!el) return;
    el.style.height = "auto";
    el.style.height = `${el.scrollHeight}px`;
  }, [text]);

  useEffect(() => {
    const el = field.current;
    if (!focused || !el) return;
    el.focus();
    el.setSelectionRange(el.value.length, el.value.length);
  }, [focused]);

  const change = (next: string) => {
    setText(next);
    onText(next);
  };
  const send = () => {
    if (!sendable) return;
    field.current?.focus();
    if (!editing) change("");
    setBusy(editing);
    void onSend(content).finally(() => setBusy(false));
  };
  const onKeyDown = (e: KeyboardEvent) => {
    if (e.nativeEvent.isComposing) return;
    if (e.key === "Escape") onStop?.();
    if (e.key === "ArrowUp" && text === "" && onUp) {
      e.preventDefault();
      onUp();
    }
    if (e.key !== "Enter" || e.shiftKey || window.matchMedia("(pointer: coarse)").matches) return;
    e.preventDefault();
    send();
  };

  return (
    <form
      className="composer"
      onSubmit={(e) => {
        e.preventDefault();
        send();
      }}
    >
      {editing && (
        <p className="editing">
          <span>{t.editing}</span>
          <button type="button" className="link-button" onClick={onStop}>
            {t.stopEditing}
          </button>
        </p>
      )}
      <label className="visually-hidden" htmlFor={`${id}-text`}>
        {editing ? t.editing : t.composer}
      </label>
      <textarea
        id={`${id}-text`}
        ref={field}
        rows={1}
        dir="auto"
        value={text}
        placeholder={t.composerPlaceholder}
        aria-describedby={`${id}-hint ${id}-count`}
        aria-invalid={length > maxCharacters}
        onChange={(e) => change(e.target.value)}
        onKeyDown={onKeyDown}
      />
      <button type="submit" className="send" aria-label={editing ? t.save : t.send} disabled={!sendable}>
        <svg viewBox="0 0 24 24" aria-hidden="true">
          {editing ? (
            <path d="M5 12.5 10 17.5 19 7" />
          ) : (
            <>
              <path d="M4 12 20 4.5 15.5 20l-3.7-6z" />
              <path d="M11.8 14 20 4.5" />
            </>
          )}
        </svg>
      </button>
      <p className="visually-hidden" id={`${id}-hint`}>
        {t.composerHint}
      </p>
      <p className={length > maxCharacters ? "count over" : "count"} id={`${id}-count`} aria-live="polite">
        {length > maxCharacters
          ? t.tooLong(length - maxCharacters)
          : length >= warnFrom
            ? t.left(maxCharacters - length)
            : ""}
      </p>
    </form>
  );
}
