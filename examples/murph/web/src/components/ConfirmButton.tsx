import { useId, useRef } from "react";
import { useLanguage } from "../i18n/language";

interface Props {
  readonly label: string;
  readonly question: string;
  readonly className: string;
  readonly disabled: boolean;
  readonly onConfirm: () => void;
}

/** A button for what cannot be undone: it asks first. The browser's own dialog keeps the focus inside and gives it back. */
export function ConfirmButton({ label, question, className, disabled, onConfirm }: Props) {
  const { t } = useLanguage();
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  const close = () => dialog.current?.close();
  return (
    <>
      <button type="button" className={className} disabled={disabled} onClick={() => dialog.current?.showModal()}>
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
            className="button danger"
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
