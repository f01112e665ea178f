import { useEffect, useState } from "react";
import { useLanguage } from "../i18n/language";
import { signIn, type DemoSession } from "./demo";
import { UserPicker } from "./UserPicker";
import { Workspace } from "./Workspace";

/** The page: who it is for stands in its address, `?user=patient-1`. */
export function App() {
  const user = new URLSearchParams(window.location.search).get("user");
  return user ? <SignedIn userId={user} /> : <UserPicker />;
}

function SignedIn({ userId }: { readonly userId: string }) {
  const { t } = useLanguage();
  const [session, setSession] = useState<DemoSession | null>(null);
  const [failed, setFailed] = useState(false);
  const [attempt, setAttempt] = useState(0);

  useEffect(() => {
    let wanted = true;
    signIn(userId).then(
      (s) => {
        if (wanted) setSession(s);
      },
      () => {
        if (wanted) setFailed(true);
      },
    );
    return () => {
      wanted = false;
    };
  }, [userId, attempt]);

  if (session) return <Workspace session={session} />;
  return (
    <main className="centered">
      <h1 className="visually-hidden">Murph</h1>
      <p role="status">{failed ? t.loginFailed : t.loading}</p>
      {failed && (
        <button
          type="button"
          className="button"
          onClick={() => {
            setFailed(false);
            setAttempt(attempt + 1);
          }}
        >
          {t.tryAgain}
        </button>
      )}
    </main>
  );
}
