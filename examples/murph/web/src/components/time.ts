import type { Language, Texts } from "../i18n/texts";

/** The reader's own form of the chosen language, so that en-GB does not read 12-hour times. */
export function locale(language: Language): string {
  return navigator.languages.find((l) => l.toLowerCase().startsWith(language)) ?? language;
}

export function clockTime(at: string, language: Language): string {
  return new Intl.DateTimeFormat(locale(language), { hour: "2-digit", minute: "2-digit" }).format(new Date(at));
}

/** The day in the reader's time zone, as a key. */
export function dayOf(at: string): string {
  const d = new Date(at);
  return `${d.getFullYear()}-${d.getMonth() + 1}-${d.getDate()}`;
}

export function dayName(at: string, language: Language, t: Texts): string {
  const now = new Date();
  const yesterday = new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1);
  if (dayOf(at) === dayOf(now.toISOString())) return t.today;
  if (dayOf(at) === dayOf(yesterday.toISOString())) return t.yesterday;
  const d = new Date(at);
  return new Intl.DateTimeFormat(locale(language), {
    weekday: "long",
    day: "numeric",
    month: "long",
    ...(d.getFullYear() !== now.getFullYear() && { year: "numeric" }),
  }).format(d);
}
