import { maxUnread, type Status } from "../murph";

export type Language = "de" | "en";

/** Everything that the page says. Both languages have the same entries: the compiler checks it. */
export interface Texts {
  readonly language: string;
  readonly otherLanguage: string;
  readonly pickTitle: string;
  readonly pickHint: string;
  readonly loginFailed: string;
  readonly tryAgain: string;
  readonly loading: string;
  readonly consultations: string;
  readonly mine: string;
  readonly openRequests: string;
  readonly noConsultations: string;
  readonly unread: (n: number) => string;
  readonly newConsultation: string;
  readonly topic: string;
  readonly request: string;
  readonly backToList: string;
  readonly choose: string;
  readonly status: Readonly<Record<Status, string>>;
  readonly nobodyYet: string;
  readonly role: (role: string) => string;
  readonly accept: string;
  readonly acceptHint: string;
  readonly complete: string;
  readonly cancel: string;
  readonly confirmComplete: string;
  readonly confirmCancel: string;
  readonly keep: string;
  readonly connected: string;
  readonly connecting: string;
  readonly interrupted: string;
  readonly polling: string;
  readonly offline: string;
  readonly messages: string;
  readonly history: string;
  readonly older: string;
  readonly empty: string;
  readonly newMessages: (n: number) => string;
  readonly you: string;
  readonly deleted: string;
  readonly edited: string;
  readonly read: string;
  readonly delivered: string;
  readonly edit: string;
  readonly editing: string;
  readonly save: string;
  readonly stopEditing: string;
  readonly remove: string;
  readonly confirmRemove: string;
  readonly editConflict: string;
  readonly here: string;
  readonly away: string;
  readonly typing: (name: string) => string;
  readonly more: string;
  readonly sending: string;
  readonly failed: string;
  readonly retry: string;
  readonly discard: string;
  readonly composer: string;
  readonly composerPlaceholder: string;
  readonly composerHint: string;
  readonly send: string;
  readonly tooLong: (over: number) => string;
  readonly left: (n: number) => string;
  readonly closed: Readonly<Record<Exclude<Status, "IN_PROGRESS">, string>>;
  readonly gone: string;
  readonly replaced: string;
  readonly unauthenticated: string;
  readonly notifications: string;
  readonly dismiss: string;
  readonly today: string;
  readonly yesterday: string;
  readonly sendFailed: (why: string) => string;
  readonly failure: (code: string) => string;
}

const de: Texts = {
  language: "Deutsch",
  otherLanguage: "English",
  pickTitle: "Wer möchten Sie sein?",
  pickHint: "Dies ist eine Vorführung. Öffnen Sie zwei Fenster mit verschiedenen Personen, um sich selbst zu schreiben.",
  loginFailed: "Die Anmeldung ist nicht gelungen.",
  tryAgain: "Noch einmal versuchen",
  loading: "Wird geladen …",
  consultations: "Beratungen",
  mine: "Meine Beratungen",
  openRequests: "Offene Anfragen",
  noConsultations: "Noch keine Beratungen.",
  unread: (n) => (n === 1 ? "1 ungelesene Nachricht" : `${countUpTo(n)} ungelesene Nachrichten`),
  newConsultation: "Neue Beratung",
  topic: "Worum geht es?",
  request: "Anfragen",
  backToList: "Zurück zu den Beratungen",
  choose: "Wählen Sie eine Beratung aus.",
  status: { REQUESTED: "Angefragt", IN_PROGRESS: "Läuft", COMPLETED: "Abgeschlossen", CANCELLED: "Abgebrochen" },
  nobodyYet: "Noch niemand zugeteilt",
  role: (role) => ({ PATIENT: "Patient/in", STUDENT: "Student/in" })[role] ?? role,
  accept: "Annehmen",
  acceptHint: "Nehmen Sie die Anfrage an, um zu schreiben.",
  complete: "Abschließen",
  cancel: "Abbrechen",
  confirmComplete: "Diese Beratung abschließen? Danach kann niemand mehr schreiben.",
  confirmCancel: "Diese Beratung abbrechen? Danach kann niemand mehr schreiben.",
  keep: "Zurück",
  connected: "Verbunden",
  connecting: "Verbindet …",
  interrupted: "Verbindet neu …",
  polling: "Verbunden",
  offline: "Keine Verbindung",
  messages: "Neue Nachrichten",
  history: "Bisherige Nachrichten",
  older: "Ältere Nachrichten laden",
  empty: "Noch keine Nachrichten.",
  newMessages: (n) => (n === 0 ? "Zum Ende" : n === 1 ? "1 neue Nachricht" : `${n} neue Nachrichten`),
  you: "Sie",
  deleted: "Nachricht gelöscht",
  edited: "bearbeitet",
  read: "gelesen",
  delivered: "gesendet",
  edit: "Bearbeiten",
  editing: "Nachricht bearbeiten",
  save: "Speichern",
  stopEditing: "Bearbeiten beenden",
  remove: "Löschen",
  confirmRemove: "Diese Nachricht für beide löschen?",
  editConflict: "Diese Nachricht wurde inzwischen geändert. Speichern Sie noch einmal, um Ihre Fassung zu behalten.",
  here: "online",
  away: "nicht online",
  typing: (name) => `${name} schreibt …`,
  more: "Weitere anzeigen",
  sending: "Wird gesendet …",
  failed: "Nicht gesendet.",
  retry: "Erneut senden",
  discard: "Verwerfen",
  composer: "Ihre Nachricht",
  composerPlaceholder: "Nachricht schreiben",
  composerHint: "Eingabetaste sendet, Umschalt und Eingabetaste beginnt eine neue Zeile.",
  send: "Senden",
  tooLong: (over) => `${over} Zeichen zu lang`,
  left: (n) => `Noch ${n} Zeichen`,
  closed: {
    REQUESTED: "Sie können schreiben, sobald jemand die Anfrage angenommen hat.",
    COMPLETED: "Diese Beratung ist abgeschlossen. Sie können sie weiter lesen.",
    CANCELLED: "Diese Beratung wurde abgebrochen. Sie können sie weiter lesen.",
  },
  gone: "Diese Beratung gibt es nicht, oder Sie gehören nicht mehr dazu.",
  replaced: "Sie gehören nicht mehr zu dieser Beratung und können sie nicht mehr lesen.",
  unauthenticated: "Ihre Anmeldung ist abgelaufen. Bitte melden Sie sich neu an.",
  notifications: "Hinweise",
  dismiss: "Hinweis schließen",
  today: "Heute",
  yesterday: "Gestern",
  sendFailed: (why) => `Ihre Nachricht wurde nicht gesendet: ${why}`,
  failure: (code) =>
    ({
      network: "Der Server ist nicht erreichbar.",
      consultation_not_active: "Diese Beratung ist gerade nicht aktiv.",
      stale: "Die Nachricht wurde inzwischen geändert.",
      too_large: "Die Nachricht ist zu lang.",
      rate_limited: "Zu viele Nachrichten in kurzer Zeit.",
      forbidden: "Das dürfen Sie nicht.",
      not_found: "Diese Beratung gibt es nicht.",
      unauthenticated: "Ihre Anmeldung ist abgelaufen.",
    })[code] ?? "Es ist ein Fehler aufgetreten.",
};

const en: Texts = {
  language: "English",
  otherLanguage: "Deutsch",
  pickTitle: "Who would you like to be?",
  pickHint: "This is a demonstration. Open two windows as two different people to write to yourself.",
  loginFailed: "Signing in did not work.",
  tryAgain: "Try again",
  loading: "Loading …",
  consultations: "Consultations",
  mine: "My consultations",
  openRequests: "Open requests",
  noConsultations: "No consultations yet.",
  unread: (n) => (n === 1 ? "1 unread message" : `${countUpTo(n)} unread messages`),
  newConsultation: "New consultation",
  topic: "What is it about?",
  request: "Request",
  backToList: "Back to the consultations",
  choose: "Choose a consultation.",
  status: { REQUESTED: "Requested", IN_PROGRESS: "In progress", COMPLETED: "Completed", CANCELLED: "Cancelled" },
  nobodyYet: "Nobody assigned yet",
  role: (role) => ({ PATIENT: "Patient", STUDENT: "Student" })[role] ?? role,
  accept: "Accept",
  acceptHint: "Accept the request to write.",
  complete: "Complete",
  cancel: "Cancel",
  confirmComplete: "Complete this consultation? Nobody can write in it afterwards.",
  confirmCancel: "Cancel this consultation? Nobody can write in it afterwards.",
  keep: "Back",
  connected: "Connected",
  connecting: "Connecting …",
  interrupted: "Reconnecting …",
  polling: "Connected",
  offline: "No connection",
  messages: "New messages",
  history: "Earlier messages",
  older: "Load older messages",
  empty: "No messages yet.",
  newMessages: (n) => (n === 0 ? "To the end" : n === 1 ? "1 new message" : `${n} new messages`),
  you: "You",
  deleted: "Message deleted",
  edited: "edited",
  read: "read",
  delivered: "sent",
  edit: "Edit",
  editing: "Edit message",
  save: "Save",
  stopEditing: "Stop editing",
  remove: "Delete",
  confirmRemove: "Delete this message for both of you?",
  editConflict: "This message has been changed in the meantime. Save again to keep your version.",
  here: "online",
  away: "not online",
  typing: (name) => `${name} is typing …`,
  more: "Show more",
  sending: "Sending …",
  failed: "Not sent.",
  retry: "Send again",
  discard: "Discard",
  composer: "Your message",
  composerPlaceholder: "Write a message",
  composerHint: "Enter sends, Shift and Enter starts a new line.",
  send: "Send",
  tooLong: (over) => `${over} characters too long`,
  left: (n) => `${n} characters left`,
  closed: {
    REQUESTED: "You can write as soon as somebody has accepted the request.",
    COMPLETED: "This consultation is completed. You can still read it.",
    CANCELLED: "This consultation was cancelled. You can still read it.",
  },
  gone: "This consultation does not exist, or you are no longer part of it.",
  replaced: "You are no longer part of this consultation and can no longer read it.",
  unauthenticated: "Your session has ended. Please sign in again.",
  notifications: "Notifications",
  dismiss: "Close notification",
  today: "Today",
  yesterday: "Yesterday",
  sendFailed: (why) => `Your message was not sent: ${why}`,
  failure: (code) =>
    ({
      network: "The server cannot be reached.",
      consultation_not_active: "This consultation is not active at present.",
      stale: "The message has been changed in the meantime.",
      too_large: "The message is too long.",
      rate_limited: "Too many messages in a short time.",
      forbidden: "You may not do that.",
      not_found: "This consultation does not exist.",
      unauthenticated: "Your session has ended.",
    })[code] ?? "Something went wrong.",
};

export const texts: Readonly<Record<Language, Texts>> = { de, en };

/** Returns a number of unread messages as the page shows it: the server stops counting at {@link maxUnread}. */
export function countUpTo(n: number): string {
  return n < maxUnread ? String(n) : `${maxUnread - 1}+`;
}
