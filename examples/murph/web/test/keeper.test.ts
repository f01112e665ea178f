import { describe, expect, it } from "vitest";
import { Keeper } from "../src/murph";

const unsent = [{ clientMessageId: "k", content: "x", createdAt: "2026-01-01T00:00:00Z", state: "sending" as const }];

describe("Keeper", () => {
  it("keeps drafts and unsent messages apart by person and consultation", () => {
    const a = new Keeper("patient-1");
    a.keepDraft("demo", "half a");
    a.keepPending("demo", unsent);
    const again = new Keeper("patient-1");
    expect(again.draft("demo")).toBe("half a");
    expect(again.pending("demo")).toEqual(unsent);
    expect(again.draft("other")).toBe("");
    expect(new Keeper("student-1").pending("demo")).toEqual([]);
    again.forget("demo");
    expect(a.draft("demo")).toBe("");
    expect(sessionStorage.length).toBe(0);
  });

  it("leaves nothing behind for what is sent", () => {
    const k = new Keeper("p");
    k.keepDraft("demo", "x");
    k.keepDraft("demo", "");
    k.keepPending("demo", unsent);
    k.keepPending("demo", []);
    expect(sessionStorage.length).toBe(0);
  });

  it("lives with a storage that is broken, full or missing", () => {
    const fail = () => {
      throw new Error("full");
    };
    for (const k of [new Keeper("p", null), new Keeper("p", { getItem: fail, setItem: fail, removeItem: fail })]) {
      k.keepDraft("demo", "x");
      k.keepPending("demo", []);
      expect(k.draft("demo")).toBe("");
      expect(k.pending("demo")).toEqual([]);
    }
    const odd = new Keeper("p", { getItem: () => '[{"content":7},null,"x"]', setItem: () => undefined, removeItem: () => undefined });
    expect(odd.pending("demo")).toEqual([]);
    expect(odd.draft("demo")).toBe("");
  });
});
