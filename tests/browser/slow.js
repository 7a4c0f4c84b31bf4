// A slow machine on a slow line, to find what relies on fast ones: `SLOW=4` makes the processor seem four times
// slower to each page, and delays what the server answers to a browser by a random time.

import { connect, createServer } from "node:net";

/** How many times slower; 1 is as fast as the machine is. */
export const SLOW = Number(process.env.SLOW ?? 1);

/** The longest delay of an answer, in milliseconds. */
const DELAY = 300;

/** Makes each page of a browser slow. */
export function slowDown(context) {
  if (SLOW === 1) return;
  context.on("page", async (page) => {
    try {
      const session = await context.newCDPSession(page);
      await session.send("Emulation.setCPUThrottlingRate", { rate: SLOW });
    } catch {
      // The page has gone already.
    }
  });
}

/** A line to a port of this machine, on which answers come late. Gives the port at its near end. */
export class SlowLine {
  #port;
  #server = createServer((near) => this.#join(near));
  #open = new Set();

  static async to(port) {
    const line = new SlowLine();
    line.#port = port;
    await new Promise((resolve) => line.#server.listen(0, "127.0.0.1", resolve));
    return line;
  }

  get port() {
    return this.#server.address().port;
  }

  #join(near) {
    const far = connect(this.#port, "127.0.0.1");
    const ends = [near, far];
    let before = Promise.resolve();
    // What comes keeps its order.
    const late = (act) => {
      const due = new Promise((resolve) => setTimeout(resolve, Math.random() * DELAY));
      before = Promise.all([before, due]).then(() => near.destroyed || act());
    };
    near.pipe(far);
    far.on("data", (data) => late(() => near.write(data)));
    far.on("end", () => late(() => near.end()));
    far.on("error", () => late(() => near.resetAndDestroy()));
    near.on("error", () => {});
    near.on("close", () => {
      far.destroy();
      this.#open.delete(ends);
    });
    this.#open.add(ends);
  }

  end() {
    this.#server.close();
    for (const ends of this.#open) for (const each of ends) each.destroy();
  }
}
