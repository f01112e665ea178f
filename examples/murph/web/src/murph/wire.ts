import type { Message, Person, Status } from "./types";

/** Checks of what came over the wire: nothing about an event is certain, and a broken one is a reason to ask. */
export function asRecord(v: unknown): Record<string, unknown> | undefined {
  return typeof v === "object" && v !== null ? (v as Record<string, unknown>) : undefined;
}

export function isNumber(v: unknown): v is number {
  return typeof v === "number" && Number.isFinite(v);
}

export function asNumber(v: unknown): number | undefined {
  return isNumber(v) ? v : undefined;
}

export function isStatus(v: unknown): v is Status {
  return v === "REQUESTED" || v === "IN_PROGRESS" || v === "COMPLETED" || v === "CANCELLED";
}

export function isPerson(v: unknown): v is Person {
  const p = asRecord(v);
  return p !== undefined && typeof p["id"] === "string" && typeof p["firstName"] === "string" && typeof p["lastName"] === "string";
}

export function isMessage(v: Record<string, unknown>): v is Record<string, unknown> & Message {
  return v["thin"] !== true && typeof v["id"] === "string" && typeof v["senderId"] === "string"
    && typeof v["content"] === "string" && typeof v["createdAt"] === "string" && isPerson(v["sender"])
    && isNumber(v["seq"]) && isNumber(v["rev"]);
}
