import type { ConnectionState } from "../murph";
import { useLanguage } from "../i18n/language";

interface Props {
  readonly connection: ConnectionState;
  /** The server has no events to offer; it is asked from time to time. */
  readonly polling: boolean;
  readonly reachable: boolean;
}

/** Says in words, and not by colour alone, whether messages arrive at once. */
export function ConnectionStatus({ connection, polling, reachable }: Props) {
  const { t } = useLanguage();
  const [state, text] = !reachable
    ? (["offline", t.offline] as const)
    : polling
      ? (["connected", t.polling] as const)
      : connection === "connected"
        ? (["connected", t.connected] as const)
        : connection === "interrupted"
          ? (["interrupted", t.interrupted] as const)
          : (["connecting", t.connecting] as const);
  return (
    <p className="connection" data-state={state} role="status">
      <span className="dot" aria-hidden="true" />
      <span>{text}</span>
    </p>
  );
}
