import { describe, expect, it } from "vitest";
import { RowWindow } from "../src/components/rowWindow";

const rows = (n: number, from = 0) => Array.from({ length: n }, (_, i) => ({ key: `${i + from}`, kind: "message" as const }));

describe("RowWindow", () => {
  it("fills the screen at the end, and no more than some screens of rows however long the list is", () => {
    for (const n of [5, 100, 10_000]) {
      const all = rows(n);
      const { from, to, above, below } = new RowWindow().slice(all, null, 700);
      expect(to).toBe(n);
      expect(to - from).toBeLessThan(60);
      expect(above).toBe(from * 56);
      expect(below).toBe(0);
    }
  });

  it("keeps the whole as high as the sum of its rows, measured or guessed", () => {
    const w = new RowWindow();
    const all = rows(1_000);
    expect(w.measure(400, [["10", 100.5], ["11", 20]])).toBe(true);
    expect(w.measure(400, [["10", 100.7], ["11", 20]])).toBe(false);
    const { from, to, above, below } = w.slice(all, { key: "500", offset: -30 }, 700);
    expect(above).toBeCloseTo(from * 56 + 44.5 - 36);
    expect(below).toBe((1_000 - to) * 56);
    expect(from).toBeLessThan(500);
    expect(to).toBeGreaterThan(512);
  });

  it("finds its anchor again when rows come before it", () => {
    const w = new RowWindow();
    const anchor = w.at(rows(100), 1_000);
    expect(anchor).toEqual({ key: "17", offset: 952 - 1_000 });
    const more = rows(150, -50);
    const { from, to } = w.slice(more, anchor, 700);
    expect(more.slice(from, to).some((r) => r.key === "17")).toBe(true);
    expect(w.topOf(more, "17")).toBe(952 + 50 * 56);
  });

  it("holds on to messages, because days move, and not to the first, which loses its heading", () => {
    const mixed = [{ key: "day:0", kind: "day" as const }, ...rows(10)];
    expect(new RowWindow().at(mixed, 60)).toEqual({ key: "1", offset: 52 });
    expect(new RowWindow().at(mixed.slice(0, 2), 60)).toEqual({ key: "0", offset: -4 });
    expect(new RowWindow().at([], 60)).toBeNull();
  });

  it("measures anew at another width", () => {
    const w = new RowWindow();
    w.measure(400, [["0", 300]]);
    w.measure(200, [["1", 10]]);
    expect(w.topOf(rows(3), "2")).toBe(56 + 10);
  });
});
