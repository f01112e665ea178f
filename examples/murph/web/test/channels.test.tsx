import { cleanup, render } from "@testing-library/react";
import { StrictMode } from "react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import {
  Api, ConnectionProvider, ConsultationSession, PusherConnection, messagesInOrder, useConnectionState, useConsultationEvents,
  usePresence, useSession, type Message,
} from "../src/murph";
import { Backend } from "./backend";
import { otherStudent, patient, student, transportOf } from "./model";
import { PusherServer } from "./pusherServer";

const resync = { consultationId: "demo", rev: 0 };
const channelOf = (audience: number) => transportOf(audience).channel ?? "";
const presenceOf = (audience: number) => transportOf(audience).presenceChannel ?? "";

let server: PusherServer;
let backend: Backend;
let connection: PusherConnection;
let session: ConsultationSession;
/** Every state of the connection that was on the screen. */
let states: Set<string>;
/** The channels that the endpoint was asked for. */
let authorized: string[];
/** Answers the endpoint. By default it grants the present channels, as the server does. */
let authorize: (channel: string) => Response | Promise<Response>;

/** Waits until a check passes, on a busy machine too. */
const until = (check: () => void) => vi.waitFor(check, { timeout: 8_000 });

vi.setConfig({ testTimeout: 30_000 });

beforeEach(async () => {
  server = await PusherServer.listen();
  server.onSubscribe = ({ data }) =>
    data.channel?.startsWith("presence-") ? { presence: { count: 1, ids: [patient.id], hash: { [patient.id]: {} } } } : true;
  backend = new Backend();
  states = new Set();
  authorized = [];
  authorize = (channel) => {
    const present = [channelOf(backend.server.audience), presenceOf(backend.server.audience)];
    const grant = { auth: "k:s", channel_data: JSON.stringify({ user_id: patient.id }) };
    return present.includes(channel) ? Response.json(grant) : new Response("", { status: 403 });
  };
  const fetch = (_: string, init: RequestInit) => {
    const channel = (init.body as URLSearchParams).get("channel_name") ?? "";
    authorized.push(channel);
    return Promise.resolve(authorize(channel));
  };
  connection = new PusherConnection(
    { driver: "websocket", key: "k", wsHost: "127.0.0.1", wsPort: server.port, forceTLS: false },
    { fetch, log: () => undefined, linger: 0, pace: 0.02 },
  );
  const api = new Api({ baseUrl: "http://chat.example/", fetch: backend.fetch });
  session = new ConsultationSession({ api, me: patient.id, consultationId: "demo", describe: String, pauses: { gap: 10 } });
});

afterEach(async () => {
  cleanup();
  connection.close();
  await server.disconnected();
  await server.close();
});

function Chat() {
  const { log } = useSession(session);
  const state = useConnectionState();
  states.add(state);
  useConsultationEvents(session, log.transport?.channel);
  const { here, typing } = usePresence(session, log.transport?.presenceChannel);
  return (
    <>
      <p data-testid="here">{here ? [...here].join() : "unknown"}</p>
      <p data-testid="typing">{[...typing].join()}</p>
      {messagesInOrder(log).map((m) => (
        <p key={m.id} data-testid="message">
          {m.content}
        </p>
      ))}
    </>
  );
}

/** Shows the chat, and waits until it is subscribed to the first audience's channels and has caught up. */
async function open() {
  const page = render(
    <StrictMode>
      <ConnectionProvider connection={connection}>
        <Chat />
      </ConnectionProvider>
    </StrictMode>,
  );
  await subscribed(1);
  return page;
}

/** Waits until the page has subscribed to the channels of an audience, and the question that follows is answered. */
async function subscribed(audience: number): Promise<void> {
  await until(() => {
    for (const name of [channelOf(audience), presenceOf(audience)]) {
      expect(connection.channelStatus(name).state).toBe("subscribed");
    }
    expect(session.getState().log.rev).toBe(backend.server.rev);
  });
}

function shown(): string[] {
  return messagesInOrder(session.getState().log).map((m) => m.content);
}

it("moves to the new channels and misses nothing that was written before they were subscribed", async () => {
  const page = await open();
  states.clear();
  backend.server.change({ student: otherStudent });
  backend.server.send(otherStudent, "before the page knows");
  server.onSubscribe = () => {
    // The answer that named the channel is older than this message, and no event tells of it.
    if (backend.server.rows.size === 1) backend.server.send(otherStudent, "before the subscription");
    return { presence: { count: 1, ids: [otherStudent.id], hash: { [otherStudent.id]: {} } } };
  };
  server.publish(channelOf(1), "resync-required", resync);
  await subscribed(2);
  const { message } = backend.server.send(otherStudent, "over the new channel");
  server.publish(channelOf(2), "new-message", message);
  await page.findByText("over the new channel");
  expect(shown()).toEqual(["before the page knows", "before the subscription", "over the new channel"]);
  await until(() => expect(page.getByTestId("here").textContent).toBe(otherStudent.id));
  server.send({ event: "client-typing", channel: presenceOf(2), data: {}, user_id: otherStudent.id });
  await until(() => expect(page.getByTestId("typing").textContent).toBe(otherStudent.id));
  expect([...states]).toEqual(["connected"]);
  expect(server.sockets).toHaveLength(1);
});

it("subscribes to the new channel before it leaves the old one, and hears nothing of the old one any more", async () => {
  await open();
  backend.server.change({ student: otherStudent });
  server.publish(channelOf(1), "resync-required", resync);
  await subscribed(2);
  await server.received("pusher:unsubscribe", 2);
  const order = server.frames.filter((f) => f.data.channel === channelOf(1) || f.data.channel === channelOf(2));
  expect(order.map((f) => [f.event, f.data.channel])).toEqual([
    ["pusher:subscribe", channelOf(1)],
    ["pusher:subscribe", channelOf(2)],
    ["pusher:unsubscribe", channelOf(1)],
  ]);
  const late: Message = { ...backend.server.send(student, "late").message, content: "over the old channel" };
  server.publish(channelOf(1), "new-message", late);
  server.publish(channelOf(2), "new-message", { ...late, content: "over the new channel" });
  await until(() => expect(shown()).toEqual(["over the new channel"]));
});

it.each(["channel", "presenceChannel"] as const)("asks the server when its %s is refused, and moves", async (refused) => {
  await open();
  const granting = authorize;
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  authorize = async (name) => {
    if (name === transportOf(1)[refused]) await held;
    return granting(name);
  };
  const questions = backend.gets().length;
  server.drop(4200);
  // The change falls between the authorizations of the two channels, and the resync is lost.
  const granted = refused === "channel" ? presenceOf(1) : channelOf(1);
  await until(() => expect(connection.channelStatus(granted)).toEqual({ state: "subscribed", cycle: 2 }));
  if (refused === "presenceChannel") await until(() => expect(backend.gets().length).toBeGreaterThan(questions));
  await new Promise((resolve) => setImmediate(resolve));
  backend.server.change({ student: otherStudent });
  release();
  await subscribed(2);
  expect(authorized.filter((name) => name === transportOf(1)[refused])).toHaveLength(2);
});

it("takes a refusal for final when the server names the same channel again", async () => {
  await open();
  authorize = () => new Response("", { status: 403 });
  const questions = backend.gets().length;
  server.drop(4200);
  await until(() => {
    expect(connection.channelStatus(channelOf(1)).state).toBe("denied");
    expect(connection.channelStatus(presenceOf(1)).state).toBe("denied");
    expect(backend.gets().length).toBeGreaterThan(questions);
  });
  const asked = authorized.length;
  session.catchUp();
  await until(() => expect(backend.asked.at(-1)?.headers.get("If-None-Match")).toBe('"rev-2"'));
  expect(authorized).toHaveLength(asked);
  expect(session.getState().log.transport).toEqual(transportOf(1));
});

it("asks what was missed when the channel that it moves to is subscribed already", async () => {
  await open();
  backend.server.audience = 2;
  connection.watchChannel(channelOf(2), () => undefined);
  await until(() => expect(connection.channelStatus(channelOf(2)).state).toBe("subscribed"));
  backend.server.send(student, "the answer that names the channel is older");
  let renamed = false;
  backend.intercept = ({ url }) => {
    const since = url.searchParams.get("since");
    if (since === null || renamed) return undefined;
    renamed = true;
    return Response.json({ ...backend.server.changes(Number(since)), messages: [], rev: Number(since), nextSince: Number(since) });
  };
  session.catchUp();
  await until(() => expect(shown()).toEqual(["the answer that names the channel is older"]));
});
