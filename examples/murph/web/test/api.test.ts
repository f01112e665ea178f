import { describe, expect, it, vi, type Mock } from "vitest";
import { Api, ApiError, isTransient } from "../src/murph";

function api(answer: () => Response): { api: Api; fetch: Mock<typeof globalThis.fetch> } {
  const fetch = vi.fn<typeof globalThis.fetch>(() => Promise.resolve(answer()));
  return { api: new Api({ baseUrl: "http://host.example/mounted/", fetch, headers: () => ({ "X-Extra": "1" }) }), fetch };
}

async function failure(promise: Promise<unknown>): Promise<ApiError> {
  const err: unknown = await promise.catch((e: unknown) => e);
  if (!(err instanceof ApiError)) throw new Error("no ApiError");
  return err;
}

describe("Api", () => {
  it("stays below where it is mounted and escapes ids", async () => {
    const { api: a, fetch } = api(() => Response.json({ messages: [] }));
    await a.history("a;b/c");
    expect(fetch.mock.calls[0]?.[0]).toBe("http://host.example/mounted/api/beratungen/a%3Bb%2Fc");
    expect(a.resolve("/api/pusher/auth")).toBe("http://host.example/api/pusher/auth");
  });

  it("sends JSON, credentials for the own origin, and what the host adds", async () => {
    const { api: a, fetch } = api(() => Response.json({}));
    await a.send({ consultationId: "demo", content: "x", clientMessageId: "k" });
    const init = fetch.mock.calls[0]?.[1];
    expect(init).toMatchObject({ method: "POST", credentials: "same-origin", cache: "no-store" });
    const headers = new Headers(init?.headers);
    expect(headers.get("Content-Type")).toBe("application/json");
    expect(headers.get("X-Extra")).toBe("1");
  });

  it("reads problems", async () => {
    const problem = { title: "Conflict", code: "consultation_not_active", error: "Nicht aktiv.", detail: "it is COMPLETED" };
    const { api: a } = api(() =>
      Response.json(problem, { status: 409, headers: { "Content-Type": "application/problem+json", "Retry-After": "3" } }),
    );
    const err = await failure(a.list());
    expect(err).toMatchObject({ status: 409, code: "consultation_not_active", problem, retryAfter: 3_000 });
    expect(isTransient(err)).toBe(false);
  });

  it("takes what is no JSON for a failure, whatever its status", async () => {
    for (const status of [200, 502]) {
      const { api: a } = api(() => new Response("<html>", { status, headers: { "Content-Type": "text/html" } }));
      const err = await failure(a.list());
      expect(err.status).toBe(502);
      expect(isTransient(err)).toBe(true);
    }
  });

  it("offers the tag of the last answer to the same question only", async () => {
    const page = { messages: [], hasMore: false, nextSince: 5 };
    const { api: a, fetch } = api(() => Response.json(page, { headers: { ETag: '"rev-5"' } }));
    const tag = (call: number) => new Headers(fetch.mock.calls[call]?.[1]?.headers).get("If-None-Match");
    await a.changes("demo", 5, "");
    await a.changes("demo", 5, "");
    await a.changes("demo", 6, "");
    await a.changes("other", 6, "");
    expect([0, 1, 2, 3].map(tag)).toEqual([null, '"rev-5"', null, null]);
    await a.changes("other", 6, "e1");
    expect(tag(4)).toBeNull();
    expect(fetch.mock.calls[4]?.[0]).toBe("http://host.example/mounted/api/beratungen/other?since=6&epoch=e1");
    fetch.mockResolvedValueOnce(new Response(null, { status: 304 }));
    expect(await a.changes("demo", 6, "")).toBeNull();
  });
});
