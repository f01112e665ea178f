import { EventEmitter, once } from "node:events";
import type { AddressInfo } from "node:net";
import { WebSocketServer, type WebSocket } from "ws";

interface Frame {
  readonly event: string;
  readonly channel?: string;
  readonly data: { readonly channel?: string; readonly auth?: string };
}

/** As much of a Pusher server as the tests need: it connects, subscribes whoever comes, and can be told to misbehave. */
export class PusherServer {
  readonly frames: Frame[] = [];
  /** Answers a subscription; true or data lets it succeed, a string is the type of the error, null is silence. */
  onSubscribe: (frame: Frame) => boolean | string | object | null = () => true;
  readonly #events = new EventEmitter();
  readonly #sockets = new Map<WebSocket, string>();
  readonly #server: WebSocketServer;
  #ids = 0;

  private constructor(server: WebSocketServer) {
    this.#server = server;
    server.on("connection", (socket) => this.#connect(socket));
  }

  static async listen(): Promise<PusherServer> {
    const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
    await once(server, "listening");
    return new PusherServer(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get sockets(): readonly WebSocket[] {
    return [...this.#sockets.keys()];
  }

  count(event: string, channel?: string): number {
    return this.frames.filter((f) => f.event === event && (channel === undefined || f.data.channel === channel)).length;
  }

  /** Waits until there have been so many frames of this name. */
  async received(event: string, times = 1): Promise<void> {
    while (this.count(event) < times) await once(this.#events, "frame");
  }

  async disconnected(): Promise<void> {
    while (this.#sockets.size > 0) await once(this.#events, "close");
  }

  publish(channel: string, event: string, data: unknown): void {
    for (const socket of this.sockets) socket.send(JSON.stringify({ event, channel, data: JSON.stringify(data) }));
  }

  /** Sends a frame as it is. */
  send(frame: object): void {
    for (const socket of this.sockets) socket.send(JSON.stringify(frame));
  }

  /** Ends all connections: with a close code, or as a cable that is pulled. */
  drop(code?: number): void {
    for (const socket of this.sockets) {
      if (code === undefined) socket.terminate();
      else socket.close(code);
    }
  }

  async close(): Promise<void> {
    this.drop();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #connect(socket: WebSocket): void {
    const socketId = `1.${++this.#ids}`;
    this.#sockets.set(socket, socketId);
    const data = JSON.stringify({ socket_id: socketId, activity_timeout: 120 });
    socket.send(JSON.stringify({ event: "pusher:connection_established", data }));
    socket.on("close", () => {
      this.#sockets.delete(socket);
      this.#events.emit("close");
    });
    socket.on("message", (bytes: Buffer) => {
      const frame = JSON.parse(bytes.toString()) as Frame;
      this.frames.push(frame);
      this.#answer(socket, frame);
      this.#events.emit("frame");
    });
  }

  #answer(socket: WebSocket, frame: Frame): void {
    const { channel } = frame.data;
    if (frame.event === "pusher:ping") socket.send(JSON.stringify({ event: "pusher:pong", data: {} }));
    if (frame.event !== "pusher:subscribe") return;
    const result = this.onSubscribe(frame);
    if (result === true || (typeof result === "object" && result !== null)) {
      const data = JSON.stringify(result === true ? {} : result);
      socket.send(JSON.stringify({ event: "pusher_internal:subscription_succeeded", channel, data }));
    } else if (typeof result === "string") {
      const data = { type: result, error: "no", status: 401 };
      socket.send(JSON.stringify({ event: "pusher:subscription_error", channel, data }));
    }
  }
}
