import { useLanguage } from "../i18n/language";

/** Switches to the other language, in whose own words it is labelled. */
export function LanguageSwitch() {
  const { t, language, setLanguage } = useLanguage();
  const other = language === "de" ? "en" : "de";
  return (
    <button type="button" className="link-button language" lang={other} onClick={() => setLanguage(other)}>
      {t.otherLanguage}
    </button>
  );
}
