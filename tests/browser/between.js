// What stands between a browser and the server: a proxy that can answer in the server's place, or change what it says.
// It sees what a worker asks too, which Chromium does not let a test hold up.

import { createServer, request } from "node:http";

export class Between {
  /**
   * `answer(path)` gives `{status, headers, body}` in the server's place, `{isSilent: true}`, or nothing; `change(path, body)` another body
   * for what the server says, or nothing. `hold(path)` gives `{from, until}`: what the server says is held back from this
   * text on, or all of it, until this promise settles.
   */
  answer = () => {};
  change = () => {};
  hold = () => {};
  #direct;
  #silent = [];
  #server = createServer((asked, reply) => this.#pass(asked, reply));

  static async before(server) {
    const between = new Between();
    between.#direct = server.direct;
    await new Promise((resolve) => between.#server.listen(0, "127.0.0.1", resolve));
    // A test that fails does not keep the others waiting.
    between.#server.unref();
    between.origin = `http://127.0.0.1:${between.#server.address().port}`;
    return between;
  }

  /** Ends what it was silent about: a browser asks nothing twice at a time. */
  letGo() {
    for (const reply of this.#silent.splice(0)) reply.destroy();
  }

  async #pass(asked, reply) {
    const { url, method, headers } = asked;
    const own = this.answer(url);
    if (own) await this.hold(url)?.until;
    if (own?.isSilent) {
      this.#silent.push(reply);
      return;
    }
    if (own) {
      reply.writeHead(own.status ?? 200, { "Content-Type": "text/html", ...own.headers }).end(own.body);
      return;
    }
    const plain = { ...headers, "accept-encoding": "identity" };
    const far = request(this.#direct + url, { method, headers: plain }, async (said) => {
      const parts = [];
      for await (const part of said) parts.push(part);
      const body = Buffer.concat(parts);
      const changed = Buffer.from(this.change(url, body.toString()) ?? body);
      const { "content-length": _, "transfer-encoding": __, ...kept } = said.headers;
      const held = this.hold(url);
      const cut = held?.from === undefined ? 0 : changed.indexOf(held.from);
      if (held && cut === 0) await held.until;
      reply.writeHead(said.statusCode, kept);
      if (cut > 0) {
        reply.write(changed.subarray(0, cut));
        await held.until;
      }
      reply.end(changed.subarray(cut));
    });
    far.on("error", () => reply.destroy());
    reply.on("close", () => far.destroy());
    asked.pipe(far);
  }

  end() {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
