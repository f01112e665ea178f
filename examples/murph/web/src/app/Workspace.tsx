import { useCallback, useEffect, useState } from "react";
import { ConsultationSession, Keeper } from "../murph";
import { ChatInterface } from "../components/ChatInterface";
import { ConsultationList } from "../components/ConsultationList";
import { describeError } from "../components/describe";
import { useToast } from "../components/toasts";
import { currentLanguage, useLanguage } from "../i18n/language";
import { countUpTo, texts } from "../i18n/texts";
import { demoConsultation, type DemoSession } from "./demo";
import { LanguageSwitch } from "./LanguageSwitch";
import { useConsultationList } from "./useConsultationList";
import { useSelection } from "./useSelection";

/** List and chat side by side; on a narrow screen one of the two. */
export function Workspace({ session }: { readonly session: DemoSession }) {
  const { t } = useLanguage();
  const toast = useToast();
  const { api, userId, role } = session;
  const { items, openRequests, refresh, more } = useConsultationList(session);
  const [chosen, select] = useSelection();
  // What is written but not sent outlives a look at another consultation, and a reload.
  const [sessions] = useState(() => new Map<string, ConsultationSession>());
  const [keeper] = useState(() => new Keeper(userId));
  const [unreadHere, setUnreadHere] = useState<{ id: string; count: number } | null>(null);

  const open = useCallback(
    (id: string) => {
      let s = sessions.get(id);
      if (!s) {
        s = new ConsultationSession({
          api,
          me: userId,
          consultationId: id,
          keeper,
          describe: describeError,
          onSendFailed: (why) => toast(texts[currentLanguage()].sendFailed(why)),
        });
        sessions.set(id, s);
      }
      return s;
    },
    [sessions, api, userId, keeper, toast],
  );
  const report = (err: unknown) => {
    toast(describeError(err));
    refresh();
  };
  const accept = (id: string) => {
    api.setStatus(id, "IN_PROGRESS").then(() => {
      refresh();
      select(id);
    }, report);
  };
  const request = (topic: string) => {
    api.request(topic).then((c) => {
      refresh();
      select(c.id);
    }, report);
  };

  // It stays open when it leaves the list: whoever was replaced in it has to be told so.
  const [shown, setShown] = useState(false);
  if (!shown && items?.some((c) => c.id === demoConsultation)) setShown(true);
  const fallback = shown ? demoConsultation : null;
  const selected = chosen === null ? fallback : chosen || null;
  const onChange = useCallback(
    (count: number) => {
      if (selected !== null) setUnreadHere({ id: selected, count });
      refresh();
    },
    [selected, refresh],
  );
  // Of the open consultation the page itself knows better than the list, which is some seconds old.
  const counted = items?.map((c) => (c.id === unreadHere?.id && c.id === selected ? { ...c, unread: unreadHere.count } : c));
  const unread = counted?.reduce((sum, c) => sum + (c.unread ?? 0), 0) ?? 0;
  useEffect(() => {
    document.title = unread > 0 ? `(${countUpTo(unread)}) Murph` : "Murph";
  }, [unread]);

  return (
    <main className="app" data-view={selected === null ? "list" : "chat"}>
      <h1 className="visually-hidden">Murph</h1>
      <div className="panel">
        <header className="brand">
          <p className="logo" aria-hidden="true">
            Murph
          </p>
          <span className="person">{userId}</span>
          <LanguageSwitch />
        </header>
        <ConsultationList
          me={userId}
          role={role}
          items={counted ?? null}
          openRequests={openRequests}
          selected={selected}
          onSelect={select}
          onAccept={accept}
          onRequest={request}
          onMore={more}
        />
      </div>
      <div className="stage">
        {selected === null ? (
          <p className="centered">{items === null ? t.loading : t.choose}</p>
        ) : (
          <ChatInterface
            key={selected}
            api={api}
            session={open(selected)}
            draft={() => keeper.draft(selected)}
            onDraft={(text) => keeper.keepDraft(selected, text)}
            onBack={() => select("")}
            onChange={onChange}
          />
        )}
      </div>
    </main>
  );
}
