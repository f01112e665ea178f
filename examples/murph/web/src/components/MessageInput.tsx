import { useId, useLayoutEffect, useRef, useState, type KeyboardEvent } from "react";
import { useLanguage } from "../i18n/language";

/** The server's own limit unless the host has set another. */
const maxCharacters = 5_000;
const warnFrom = 4_500;

interface Props {
  readonly draft: string;
  readonly onDraft: (text: string) => void;
  readonly onSend: (content: string) => void;
}

/** The composer. Enter sends; on a touch keyboard, which has no Shift and Enter, it starts a new line. */
export function MessageInput({ draft, onDraft, onSend }: Props) {
  const { t } = useLanguage();
  const [text, setText] = useState(draft);
  const field = useRef<HTMLTextAreaElement>(null);
  const id = useId();
  const content = text.trim();
  // The server counts characters, not UTF-16 units.
  const length = Array.from(content).length;
  const sendable = length > 0 && length <= maxCharacters;

  useLayoutEffect(() => {
    const el = field.current;
    if (!el) return;
    el.style.height = "auto";
    el.style.height = `${el.scrollHeight}px`;
  }, [text]);

  const change = (next: string) => {
    setText(next);
    onDraft(next);
  };
  const send = () => {
    if (!sendable) return;
    onSend(content);
    change("");
    field.current?.focus();
  };
  const onKeyDown = (e: KeyboardEvent) => {
    if (e.key !== "Enter" || e.shiftKey || e.nativeEvent.isComposing) return;
    if (window.matchMedia("(pointer: coarse)").matches) return;
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
      <label className="visually-hidden" htmlFor={`${id}-text`}>
        {t.composer}
      </label>
      <textarea
        id={`${id}-text`}
        ref={field}
        rows={1}
        value={text}
        placeholder={t.composerPlaceholder}
        aria-describedby={`${id}-hint ${id}-count`}
        aria-invalid={length > maxCharacters}
        onChange={(e) => change(e.target.value)}
        onKeyDown={onKeyDown}
      />
      <button type="submit" className="send" aria-label={t.send} disabled={!sendable}>
        <svg viewBox="0 0 24 24" aria-hidden="true">
          <path d="M4 12 20 4.5 15.5 20l-3.7-6z" />
          <path d="M11.8 14 20 4.5" />
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
