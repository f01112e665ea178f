import { useEffect, useMemo, useState, type ReactNode } from "react";
import { LanguageContext, currentLanguage, storeLanguage } from "./language";
import { texts, type Language } from "./texts";

export function LanguageProvider({ children }: { readonly children: ReactNode }) {
  const [language, setLanguage] = useState<Language>(currentLanguage);
  useEffect(() => {
    document.documentElement.lang = language;
    storeLanguage(language);
  }, [language]);
  const value = useMemo(() => ({ language, t: texts[language], setLanguage }), [language]);
  return <LanguageContext value={value}>{children}</LanguageContext>;
}
