import { cleanup, render, renderHook } from "@testing-library/react";
import Pusher from "pusher-js";
import { StrictMode, type ReactNode } from "react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import {
  Api, ConnectionProvider, PusherConnection, sharedConnection, useChannelStatus, useConnectionState, usePusherSubscription,
  type Transport,
} from "../src/murph";
import { PusherServer } from "./pusherServer";

const channel = "private-consultation-demo";
let server: PusherServer;
let connection: PusherConnection;

beforeEach(async () => {
  server = await PusherServer.listen();
  const transport: Transport = { driver: "websocket", key: "k", wsHost: "127.0.0.1", wsPort: server.port, forceTLS: false };
  connection = new PusherConnection(transport, {
    fetch: () => Promise.resolve(Response.json({ auth: "k:s" })),
    log: () => undefined,
    linger: 0,
  });
});

afterEach(async () => {
  cleanup();
  await server.disconnected();
  await server.close();
});

function Wrapper({ children }: { readonly children: ReactNode }) {
  return (
    <StrictMode>
      <ConnectionProvider connection={connection}>{children}</ConnectionProvider>
    </StrictMode>
  );
}

it("subscribes and hears each event once under StrictMode, and leaves nothing when it unmounts", async () => {
  const heard = vi.fn();
  const { unmount } = renderHook(() => usePusherSubscription(channel, "new-message", heard), { wrapper: Wrapper });
  await vi.waitFor(() => expect(connection.channelStatus(channel).state).toBe("subscribed"));
  server.publish(channel, "new-message", { n: 1 });
  await vi.waitFor(() => expect(heard).toHaveBeenCalled());
  expect(heard).toHaveBeenCalledExactlyOnceWith({ n: 1 }, undefined);
  expect(server.count("pusher:subscribe")).toBe(1);
  expect(server.count("pusher:unsubscribe")).toBe(0);
  unmount();
  await server.disconnected();
  expect(server.count("pusher:unsubscribe")).toBe(1);
  expect(Pusher.instances).toEqual([]);
});

it("calls the latest callback without binding anew", async () => {
  const bind = vi.spyOn(connection, "subscribe");
  const heard: string[] = [];
  const { rerender } = renderHook(
    ({ name }) => usePusherSubscription(channel, "new-message", () => void heard.push(name)),
    { wrapper: Wrapper, initialProps: { name: "first" } },
  );
  await vi.waitFor(() => expect(connection.channelStatus(channel).state).toBe("subscribed"));
  const calls = bind.mock.calls.length;
  rerender({ name: "second" });
  server.publish(channel, "new-message", {});
  await vi.waitFor(() => expect(heard).toEqual(["second"]));
  expect(bind).toHaveBeenCalledTimes(calls);
});

it("moves to another channel, and rests without one", async () => {
  const initialProps: { name: string | undefined } = { name: channel };
  const { rerender } = renderHook(({ name }) => usePusherSubscription(name, "e", () => undefined), {
    wrapper: Wrapper,
    initialProps,
  });
  await server.received("pusher:subscribe");
  rerender({ name: "private-consultation-other" });
  await server.received("pusher:subscribe", 2);
  await server.received("pusher:unsubscribe");
  rerender({ name: undefined });
  await server.received("pusher:unsubscribe", 2);
});

it("shares one subscription between components and shows its state", async () => {
  function Status() {
    usePusherSubscription(channel, "e", () => undefined);
    const { state, cycle } = useChannelStatus(channel);
    return <p>{`${useConnectionState()} ${state} ${cycle}`}</p>;
  }
  const { findAllByText } = render(
    <>
      <Status />
      <Status />
    </>,
    { wrapper: Wrapper },
  );
  expect(await findAllByText("connected subscribed 1")).toHaveLength(2);
  expect(server.count("pusher:subscribe")).toBe(1);
});

it("does nothing without a connection", () => {
  const { result } = renderHook(() => {
    usePusherSubscription(channel, "e", () => undefined);
    return [useChannelStatus(channel).state, useConnectionState()];
  });
  expect(result.current).toEqual(["pending", "idle"]);
});

it("gives all users of an API the same connection for the same transport", () => {
  const api = new Api({ baseUrl: "http://chat.example/" });
  const a: Transport = { driver: "websocket", key: "k", channel: "private-consultation-a" };
  const b: Transport = { ...a, channel: "private-consultation-b" };
  expect(sharedConnection(api, a)).toBe(sharedConnection(api, b));
  expect(sharedConnection(api, { ...a, key: "other" })).not.toBe(sharedConnection(api, a));
  expect(sharedConnection(api, { driver: "poll" })).toBeNull();
});
