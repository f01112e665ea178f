import { describe, expect, it } from "vitest";
import { countUpTo } from "../src/i18n/texts";
import { maxUnread } from "../src/murph";

describe("countUpTo", () => {
  it("says that there may be more where the server stops counting", () => {
    expect([1, maxUnread - 1, maxUnread, 10_000].map(countUpTo)).toEqual(["1", "99", "99+", "99+"]);
  });
});
