import { createContext, useContext } from "react";
import { texts, type Language, type Texts } from "./texts";

interface LanguageValue {
  readonly language: Language;
  readonly t: Texts;
  readonly setLanguage: (language: Language) => void;
}

export const LanguageContext = createContext<LanguageValue>({
  language: "en",
  t: texts.en,
  setLanguage: () => undefined,
});

export function useLanguage(): LanguageValue {
  return useContext(LanguageContext);
}

const storageKey = "murph-language";

/** The language that was chosen, else the first of the browser's that the page speaks, else English. */
export function currentLanguage(): Language {
  const wanted = [stored(), ...navigator.languages].map((l) => l?.slice(0, 2).toLowerCase());
  return wanted.find((l): l is Language => l === "de" || l === "en") ?? "en";
}

export function storeLanguage(language: Language): void {
  try {
    // Only what was chosen against the browser's wish is worth keeping.
    if (language === currentLanguage()) return;
    localStorage.setItem(storageKey, language);
  } catch {
    // Storage may be forbidden; the choice then lasts as long as the page.
  }
}

function stored(): string | null {
  try {
    return localStorage.getItem(storageKey);
  } catch {
    return null;
  }
}
