// A wire to the server that can be cut: what is under way breaks off, and nothing new comes through.

import { connect, createServer } from "node:net";

export class Wire {
  #server;
  #ends = new Set();
  #cut = false;

  /** A wire to this port of this machine. `port` is where it begins. */
  static async to(port) {
    const wire = new Wire();
    wire.#server = createServer((near) => wire.#join(near, port));
    await new Promise((resolve) => wire.#server.listen(0, "127.0.0.1", resolve));
    // A test that fails does not keep the run from its end.
    wire.#server.unref();
    return wire;
  }

  get port() {
    return this.#server.address().port;
  }

  cut() {
    this.#cut = true;
    for (const end of this.#ends) end.destroy();
  }

  mend() {
    this.#cut = false;
  }

  end() {
    this.#server.close();
    this.cut();
  }

  #join(near, port) {
    if (this.#cut) return near.destroy();
    const far = connect(port, "127.0.0.1");
    for (const [end, other] of [[near, far], [far, near]]) {
      this.#ends.add(end);
      end.pipe(other);
      end.on("error", () => {});
      end.on("close", () => {
        this.#ends.delete(end);
        other.destroy();
      });
    }
  }
}
