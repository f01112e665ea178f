import { useId, useRef } from "react";
import { useLanguage } from "../i18n/language";

interface Props {
  readonly label: string;
  readonly question: string;
  /** What is asked for ends something before its time. */
  readonly danger?: boolean;
  readonly disabled: boolean;
  readonly onConfirm: () => void;
}

/** A button for what cannot be undone: it asks first. The browser's own dialog keeps the focus inside and gives it back. */
export function ConfirmButton({ label, question, danger = false, disabled, onConfirm }: Props) {
  const { t } = useLanguage();
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  const close = () => dialog.current?.close();
  return (
    <>
      <button type="button" className="button quiet" disabled={disabled} onClick={() => dialog.current?.showModal()}>
        {label}
      </button>
      <dialog ref={dialog} aria-labelledby={id}>
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
    </>
  );
}
