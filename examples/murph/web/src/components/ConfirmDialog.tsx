import { useEffect, useId, useRef } from "react";
import { useLanguage } from "../i18n/language";

interface Props {
  readonly question: string;
  readonly label: string;
  /** What is asked for ends something before its time. */
  readonly danger?: boolean;
  readonly onConfirm: () => void;
  readonly onClose: () => void;
}

/** Asks before what cannot be undone, as long as it is mounted. The browser's own dialog keeps the focus inside and gives it back. */
export function ConfirmDialog({ question, label, danger = false, onConfirm, onClose }: Props) {
  const { t } = useLanguage();
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const el = dialog.current;
    if (el && !el.open) el.showModal();
    return () => el?.close();
  }, []);
  const close = () => dialog.current?.close();
  return (
    <dialog ref={dialog} aria-labelledby={id} onClose={onClose}>
      <p id={id}>{question}</p>
      <div className="actions">
        <button type="button" className="button quiet" onClick={close}>
          {t.keep}
        </button>
        <button
          type="button"
          className={danger ? "button danger" : "button"}
          onClick={() => {
            close();
            onConfirm();
          }}
        >
          {label}
        </button>
      </div>
    </dialog>
  );
}
