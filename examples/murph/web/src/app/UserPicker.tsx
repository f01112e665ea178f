import { useLanguage } from "../i18n/language";
import { demoUsers } from "./demo";
import { LanguageSwitch } from "./LanguageSwitch";

/** Lets a visitor choose one of the demonstration's people. */
export function UserPicker() {
  const { t } = useLanguage();
  return (
    <main className="centered picker">
      <LanguageSwitch />
      <h1>{t.pickTitle}</h1>
      <ul>
        {demoUsers.map((u) => (
          <li key={u.id}>
            <a href={`?user=${u.id}`}>
              <strong>{u.id}</strong>
              <span>{t.role(u.role)}</span>
            </a>
          </li>
        ))}
      </ul>
      <p>{t.pickHint}</p>
    </main>
  );
}
