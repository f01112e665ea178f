/** What the server's HTTP API and its events carry. The server's documentation is the contract; unknown fields are ignored. */

/** PATIENT and STUDENT, or what else the host calls its people. */
export type Role = string;

export type Status = "REQUESTED" | "IN_PROGRESS" | "COMPLETED" | "CANCELLED";

export interface Person {
  readonly id: string;
  readonly role: Role;
  readonly firstName: string;
  readonly lastName: string;
  readonly image?: string;
}

export interface Message {
  readonly id: string;
  readonly consultationId: string;
  readonly senderId: string;
  /** Plain text, never HTML; "" once the message is deleted. */
  readonly content: string;
  /** RFC 3339, for display only: messages are ordered by seq. */
  readonly createdAt: string;
  readonly sender: Person;
  /** The place in the consultation. It never changes. */
  readonly seq: number;
  /** The version: the consultation's counter at the last change of this message. */
  readonly rev: number;
  readonly clientMessageId?: string;
  readonly editedAt?: string;
  readonly deletedAt?: string;
}

export interface Consultation {
  readonly id: string;
  readonly status: Status;
  readonly topic: string;
  readonly patient: Person;
  readonly student?: Person;
  /** Counts every visible change: of status, of assignment, of each message. */
  readonly rev: number;
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface ConsultationItem extends Consultation {
  /** At most {@link maxUnread}, which means that many or more. */
  readonly unread?: number;
  readonly lastMessage?: Message;
}

/** Where the server stops counting unread messages. */
export const maxUnread = 100;

export interface ConsultationList {
  readonly consultations: readonly ConsultationItem[];
  readonly nextCursor?: string;
  readonly epoch?: string;
}

export interface ReadMark {
  readonly seq: number;
  readonly at: string;
}

export type Reads = Readonly<Record<string, ReadMark>>;

/** Where the events of one consultation come from. The page builds no name and no address by itself. */
export interface Transport {
  readonly driver: "websocket" | "pusher" | "poll";
  readonly key?: string;
  readonly cluster?: string;
  /** Absent: the host that served the page. */
  readonly wsHost?: string;
  readonly wsPort?: number;
  readonly wssPort?: number;
  readonly wsPath?: string;
  readonly forceTLS?: boolean;
  readonly authEndpoint?: string;
  readonly channel?: string;
  readonly presenceChannel?: string;
}

/** The answer of GET /api/beratungen/{id}, in both its forms. */
export interface HistoryPage {
  readonly consultation: Consultation;
  readonly messages: readonly Message[];
  readonly hasMore: boolean;
  readonly rev: number;
  /** An opaque word that the server replaces when its store was restored from a backup. A rev of one epoch means nothing in another. */
  readonly epoch?: string;
  readonly read?: Reads;
  readonly transport: Transport;
}

export interface ChangesPage extends HistoryPage {
  /** The rev up to which the caller is complete after this page. */
  readonly nextSince: number;
  /** The caller cannot continue from its rev: it forgets what it has and takes this page. */
  readonly reset?: boolean;
}

/** An error as the server writes it (RFC 9457, application/problem+json). */
export interface Problem {
  readonly type?: string;
  readonly title?: string;
  readonly status?: number;
  readonly detail?: string;
  /** Stable, for programs. */
  readonly code?: string;
  /** The version that is in force, where an edit named another. */
  readonly rev?: number;
  /** A sentence for people, in the language of Accept-Language. */
  readonly error?: string;
}

/** The events of a consultation's channel that change the log. */
export const logEvents = [
  "new-message",
  "message-updated",
  "message-deleted",
  "status-update",
  "consultation-updated",
  "messages-read",
  "resync-required",
] as const;

export type LogEventName = (typeof logEvents)[number];
