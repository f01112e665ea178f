/** A network cable between the browser and the server, to be cut and to go dead without a word. */
import { once } from "node:events";
import { connect, createServer } from "node:net";

export class Cable {
  #pairs = new Set();
  #server;
  #cut = false;

  static async to(target) {
    const cable = new Cable();
    cable.#server = createServer((near) => cable.#join(near, target));
    cable.#server.listen(0, "127.0.0.1");
    await once(cable.#server, "listening");
    cable.url = new URL(target);
    cable.url.port = cable.#server.address().port;
    return cable;
  }

  /** Ends all connections and lets no new one through. */
  cut() {
    this.#cut = true;
    for (const [near, far] of this.#pairs) {
      near.destroy();
      far.destroy();
    }
  }

  mend() {
    this.#cut = false;
  }

  /** The connections that there are go on to exist and carry nothing any more; new ones work. */
  deaden() {
    for (const [near, far] of this.#pairs) {
      near.unpipe(far).pause();
      far.unpipe(near).pause();
    }
  }

  close() {
    this.cut();
    this.#server.close();
  }

  #join(near, target) {
    if (this.#cut) return near.destroy();
    const far = connect(Number(target.port), target.hostname);
    const pair = [near, far];
    this.#pairs.add(pair);
    near.pipe(far).pipe(near);
    for (const socket of pair) {
      socket.on("error", () => socket.destroy());
      socket.on("close", () => {
        this.#pairs.delete(pair);
        near.destroy();
        far.destroy();
      });
    }
  }
}
