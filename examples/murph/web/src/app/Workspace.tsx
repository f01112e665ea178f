import { useCallback, useState } from "react";
import { ConsultationSession } from "../murph";
import { ChatInterface } from "../components/ChatInterface";
import { ConsultationList } from "../components/ConsultationList";
import { describeError } from "../components/describe";
import { useToast } from "../components/toasts";
import { useLanguage } from "../i18n/language";
import { currentLanguage } from "../i18n/language";
import { texts } from "../i18n/texts";
import { demoConsultation, type DemoSession } from "./demo";
import { LanguageSwitch } from "./LanguageSwitch";
import { useConsultationList } from "./useConsultationList";
import { useSelection } from "./useSelection";

/** List and chat side by side; on a narrow screen one of the two. */
export function Workspace({ session }: { readonly session: DemoSession }) {
  const { t } = useLanguage();
  const toast = useToast();
  const { api, userId, role } = session;
  const { items, openRequests, refresh } = useConsultationList(session);
  const [chosen, select] = useSelection();
  // What is written but not sent outlives a look at another consultation.
  const [sessions] = useState(() => new Map<string, ConsultationSession>());
  const [drafts] = useState(() => new Map<string, string>());

  const open = useCallback(
    (id: string) => {
      let s = sessions.get(id);
      if (!s) {
        s = new ConsultationSession({
          api,
          me: userId,
          consultationId: id,
          describe: describeError,
          onSendFailed: (why) => toast(texts[currentLanguage()].sendFailed(why)),
        });
        sessions.set(id, s);
      }
      return s;
    },
    [sessions, api, userId, toast],
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

  const fallback = items?.some((c) => c.id === demoConsultation) ? demoConsultation : null;
  const selected = chosen === null ? fallback : chosen || null;
  return (
    <div className="app" data-view={selected === null ? "list" : "chat"}>
      <aside>
        <header className="brand">
          <h1>Murph</h1>
          <span className="person">{userId}</span>
          <LanguageSwitch />
        </header>
        <ConsultationList
          me={userId}
          role={role}
          items={items}
          openRequests={openRequests}
          selected={selected}
          onSelect={select}
          onAccept={accept}
          onRequest={request}
        />
      </aside>
      <main>
        {selected === null ? (
          <p className="centered">{items === null ? t.loading : t.choose}</p>
        ) : (
          <ChatInterface
            key={selected}
            api={api}
            session={open(selected)}
            draft={drafts.get(selected) ?? ""}
            onDraft={(text) => drafts.set(selected, text)}
            onBack={() => select("")}
            onChange={refresh}
          />
        )}
      </main>
    </div>
  );
}
