import { useState } from "react";
import { ConfirmDialog } from "./ConfirmDialog";

interface Props {
  readonly label: string;
  readonly question: string;
  /** What is asked for ends something before its time. */
  readonly danger?: boolean;
  readonly disabled: boolean;
  readonly onConfirm: () => void;
}

/** A button for what cannot be undone: it asks first. */
export function ConfirmButton({ label, question, danger = false, disabled, onConfirm }: Props) {
  const [asking, setAsking] = useState(false);
  return (
    <>
      <button type="button" className="button quiet" disabled={disabled} onClick={() => setAsking(true)}>
        {label}
      </button>
      {asking && (
        <ConfirmDialog
          danger={danger}
          question={question}
          label={label}
          onConfirm={onConfirm}
          onClose={() => setAsking(false)}
        />
      )}
    </>
  );
}
