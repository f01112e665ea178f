import { useCallback, useEffect, useRef, useState, type ReactNode } from "react";
import { useLanguage } from "../i18n/language";
import { ToastContext } from "./toasts";

interface Toast {
  readonly id: number;
  readonly sentence: string;
}

const shownFor = 10_000;
const most = 4;

/** Keeps the toasts of the page. They are read out once and stay while somebody points at one or has it in focus. */
export function ToastProvider({ children }: { readonly children: ReactNode }) {
  const { t } = useLanguage();
  const [toasts, setToasts] = useState<readonly Toast[]>([]);
  const nextId = useRef(0);

  const show = useCallback((sentence: string) => {
    const id = ++nextId.current;
    // The same sentence twice says no more than once.
    setToasts((all) => [...all.filter((toast) => toast.sentence !== sentence), { id, sentence }].slice(-most));
  }, []);
  const close = useCallback((id: number) => setToasts((all) => all.filter((toast) => toast.id !== id)), []);

  return (
    <ToastContext value={show}>
      {children}
      <div className="toasts" role="status" aria-label={t.notifications}>
        {toasts.map((toast) => (
          <ToastItem key={toast.id} toast={toast} onClose={close} />
        ))}
      </div>
    </ToastContext>
  );
}

function ToastItem({ toast, onClose }: { readonly toast: Toast; readonly onClose: (id: number) => void }) {
  const { t } = useLanguage();
  const [held, setHeld] = useState(false);
  useEffect(() => {
    if (held) return;
    const timer = setTimeout(() => onClose(toast.id), shownFor);
    return () => clearTimeout(timer);
  }, [held, toast.id, onClose]);
  return (
    <div
      className="toast"
      onMouseEnter={() => setHeld(true)}
      onMouseLeave={() => setHeld(false)}
      onFocus={() => setHeld(true)}
      onBlur={() => setHeld(false)}
    >
      <p>{toast.sentence}</p>
      <button type="button" className="icon-button" aria-label={t.dismiss} onClick={() => onClose(toast.id)}>
        <span aria-hidden="true">×</span>
      </button>
    </div>
  );
}
