import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError } from "../src/murph";
import { ReadReporter } from "../src/murph/reads";
import { TypingBoard } from "../src/murph/typing";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

describe("ReadReporter", () => {
  function reporter() {
    const report = vi.fn<(seq: number) => Promise<void>>(() => Promise.resolve());
    return { report, reads: new ReadReporter(report) };
  }

  it("reports what was in sight for half a second", async () => {
    const { report, reads } = reporter();
    reads.look(5);
    await vi.advanceTimersByTimeAsync(499);
    expect(report).not.toHaveBeenCalled();
    await vi.advanceTimersByTimeAsync(1);
    expect(report).toHaveBeenCalledExactlyOnceWith(5);
  });

  it("reports nothing that was gone before, and nothing while nobody looks", async () => {
    const { report, reads } = reporter();
    reads.look(5);
    await vi.advanceTimersByTimeAsync(300);
    reads.look(null);
    await vi.advanceTimersByTimeAsync(60_000);
    reads.look(5);
    await vi.advanceTimersByTimeAsync(300);
    reads.look(3);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(report.mock.calls).toEqual([[3]]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("gives each message its own half second", async () => {
    const { report, reads } = reporter();
    reads.look(5);
    await vi.advanceTimersByTimeAsync(400);
    reads.look(6);
    await vi.advanceTimersByTimeAsync(100);
    expect(report.mock.calls).toEqual([[5]]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(report.mock.calls).toEqual([[5], [6]]);
  });

  it("reports once a second at most, and then the highest", async () => {
    const { report, reads } = reporter();
    for (let seq = 1; seq <= 30; seq++) {
      reads.look(seq);
      await vi.advanceTimersByTimeAsync(100);
    }
    await vi.advanceTimersByTimeAsync(5_000);
    expect(report.mock.calls.length).toBeLessThanOrEqual(4);
    expect(report.mock.calls.at(-1)).toEqual([30]);
  });

  it("does not report what the server knows", async () => {
    const { report, reads } = reporter();
    reads.known(7);
    reads.look(7);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(report).not.toHaveBeenCalled();
  });

  it("repeats a report that got lost, and takes a refusal for an answer", async () => {
    const { report, reads } = reporter();
    report.mockRejectedValueOnce(new TypeError("network"));
    reads.look(5);
    await vi.advanceTimersByTimeAsync(5_400);
    expect(report).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(200);
    expect(report).toHaveBeenCalledTimes(2);
    report.mockRejectedValueOnce(new ApiError(404, {}));
    reads.look(6);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(report).toHaveBeenCalledTimes(3);
  });
});

describe("TypingBoard", () => {
  it("forgets somebody of whom nothing is heard for six seconds", () => {
    const board = new TypingBoard();
    board.heard("s");
    vi.advanceTimersByTime(5_000);
    board.heard("s");
    vi.advanceTimersByTime(5_999);
    expect([...board.typing()]).toEqual(["s"]);
    vi.advanceTimersByTime(1);
    expect([...board.typing()]).toEqual([]);
  });

  it("is cleared by that person's message, and by no other's", () => {
    const board = new TypingBoard();
    const told = vi.fn();
    board.watch(told);
    board.heard("s");
    board.clear("p");
    expect(board.typing().has("s")).toBe(true);
    board.clear("s");
    expect(board.typing().has("s")).toBe(false);
    expect(told).toHaveBeenCalledTimes(2);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("sends at most every three seconds, and at once after a message", () => {
    const board = new TypingBoard();
    const send = vi.fn(() => true);
    for (let ms = 0; ms < 7_000; ms += 100) {
      board.pressed(send);
      vi.advanceTimersByTime(100);
    }
    expect(send).toHaveBeenCalledTimes(3);
    board.sent();
    board.pressed(send);
    expect(send).toHaveBeenCalledTimes(4);
  });

  it("tries again with the next key when it could not be sent", () => {
    const board = new TypingBoard();
    const send = vi.fn(() => false);
    board.pressed(send);
    board.pressed(send);
    expect(send).toHaveBeenCalledTimes(2);
  });
});
