import { ModelServer, patient } from "./model";

export interface Asked {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

const problem = { "Content-Type": "application/problem+json" };

/** Answers fetch with the model server. intercept may answer in its place. */
export class Backend {
  readonly server = new ModelServer();
  readonly asked: Asked[] = [];
  intercept: (asked: Asked) => Response | Promise<Response> | undefined = () => undefined;

  readonly fetch: typeof fetch = async (input, init = {}) => {
    const body = typeof init.body === "string" ? (JSON.parse(init.body) as Record<string, unknown>) : {};
    const asked: Asked = { method: init.method ?? "GET", url: new URL(input as string), headers: new Headers(init.headers), body };
    this.asked.push(asked);
    return (await this.intercept(asked)) ?? this.#answer(asked);
  };

  posts(): Asked[] {
    return this.asked.filter((a) => a.method === "POST");
  }

  gets(): string[] {
    return this.asked.filter((a) => a.method === "GET").map((a) => a.url.search);
  }

  #answer({ method, url, headers, body }: Asked): Response {
    const id = url.pathname.split("/").at(-1) ?? "";
    if (url.pathname.endsWith("/gelesen")) return Response.json({ seq: body["seq"], at: "" });
    if (method === "PATCH" || method === "DELETE") {
      const rev = this.server.rows.get(id)?.rev;
      if (headers.get("If-Match") !== `"${rev}"`) return Response.json({ code: "stale", rev }, { status: 412, headers: problem });
      if (method === "PATCH") this.server.edit(id, body["content"] as string);
      else this.server.delete(id);
      return Response.json(this.server.rows.get(id));
    }
    if (method === "POST") {
      const { message, events } = this.server.send(patient, body["content"] as string, body["clientMessageId"] as string);
      return Response.json(message, { status: events.length > 0 ? 201 : 200 });
    }
    const since = url.searchParams.get("since");
    const before = url.searchParams.get("before");
    const tag = `"rev-${this.server.rev}"`;
    if (since === null) return Response.json(this.server.history(before === null ? undefined : Number(before)));
    if (headers.get("If-None-Match") === tag) return new Response(null, { status: 304 });
    return Response.json(this.server.changes(Number(since), url.searchParams.get("epoch") ?? ""), { headers: { ETag: tag } });
  }
}
