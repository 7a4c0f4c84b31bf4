// A server of a test's own: the real binary on a free port, with a store of its own.

import { spawn } from "node:child_process";
import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { SLOW, SlowLine } from "./slow.js";

const { COMET_CHAT = "target/debug/comet-chat", ENGINE = "blocking" } = process.env;

/** The same with all features: the backstage shows both engines. */
const { COMET_CHAT_FULL = COMET_CHAT } = process.env;

const running = new Set();

/** Ends what still runs. */
export async function endServers() {
  for (const server of running) await server.end();
}

export class Server {
  /** Where browsers find it: `origin`. Where the tests themselves do: `direct`. */

  /** What the tests themselves say with each request. */
  headers = {};

  /** Starts one; `store` is `memory:`, or by default a file that outlives a kill. */
  static async start({ store, options = [], engine = ENGINE, program = COMET_CHAT } = {}) {
    const server = new Server();
    server.engine = engine;
    server.program = program;
    server.directory = mkdtempSync(join(tmpdir(), "comet-chat-browser-"));
    server.store = store ?? `sqlite:${join(server.directory, "chat.db")}`;
    server.options = options;
    running.add(server);
    await server.#run("127.0.0.1:0");
    return server;
  }

  /** The one that most tests of a topic share, each in rooms of its own. */
  static common() {
    return Server.start({ store: "memory:" });
  }

  /** One whose backstage is open. */
  static backstage(engine) {
    return Server.start({ store: "memory:", options: ["--lesson"], engine, program: COMET_CHAT_FULL });
  }

  async #run(listen) {
    const options = ["--listen", listen, "--store", this.store, "--engine", this.engine];
    // The other name under which browser.js finds this machine.
    options.push("--allow-host", "chat.test", ...this.options);
    const log = join(this.directory, "log");
    this.process = spawn(this.program, options, { stdio: ["ignore", "pipe", openSync(log, "a")] });
    this.ended = new Promise((resolve) => this.process.on("exit", resolve));
    // Its log matters only if the server ends by itself.
    this.process.on("exit", (code) => code && process.stderr.write(readFileSync(log)));
    const lines = createInterface({ input: this.process.stdout });
    const ready = new Promise((resolve) => lines.on("line", resolve));
    const said = await Promise.race([ready, this.ended]);
    const origin = /http:\/\/[^/\s]+/.exec(said)?.[0];
    if (!origin) throw new Error(`the server did not start: ${said}`);
    this.direct = origin;
    if (SLOW > 1) this.line ??= await SlowLine.to(new URL(origin).port);
    this.origin = this.line ? `http://127.0.0.1:${this.line.port}` : origin;
  }

  get port() {
    return new URL(this.origin).port;
  }

  /** kill -9. */
  async kill() {
    this.process.kill("SIGKILL");
    await this.ended;
  }

  /** Has it read its files again, and waits until it has. */
  async reload() {
    const log = join(this.directory, "log");
    const times = () => readFileSync(log, "utf8").split("was read again").length;
    const before = times();
    this.process.kill("SIGHUP");
    while (times() === before) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  /** Starts again with the same store at the same address. */
  async restart() {
    await this.#run(new URL(this.direct).host);
  }

  /** Ends it, and what it kept. */
  async end() {
    running.delete(this);
    this.line?.end();
    this.process.kill("SIGTERM");
    await this.ended;
    rmSync(this.directory, { recursive: true });
  }

  // The wire, without a browser.

  async #json(path, options = {}) {
    const headers = { Accept: "application/json", ...this.headers, ...options.headers };
    const reply = await fetch(this.direct + path, { ...options, headers });
    if (!reply.ok) throw new Error(`${path}: ${reply.status} ${await reply.text()}`);
    return reply.status === 204 ? null : reply.json();
  }

  say(room, name, message) {
    return this.#json(`/chat/${encodeURIComponent(room)}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ message, name }),
    });
  }

  /** Answers the message with this id. */
  answer(room, name, message, reply_to) {
    return this.#json(`/chat/${encodeURIComponent(room)}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ message, name, reply_to }),
    });
  }

  /** Somebody looks in, and is present for a while. */
  join(room, name) {
    return this.#json(`/chat/${encodeURIComponent(room)}?after=latest&wait=0&name=${encodeURIComponent(name)}`);
  }

  /** Somebody leaves. */
  async leave(room, name) {
    const path = `/chat/${encodeURIComponent(room)}/leave`;
    const reply = await fetch(this.direct + path, { method: "POST", headers: this.headers, body: new URLSearchParams({ name }) });
    if (!reply.ok) throw new Error(`${path}: ${reply.status} ${await reply.text()}`);
  }

  /** The names of those who are in a room. */
  async people(room) {
    const { people } = await this.#json(`/chat/${encodeURIComponent(room)}/people`);
    return people.map(({ name }) => name);
  }

  /** All that is kept of a room. */
  async all(room) {
    const all = [];
    for (let after = "oldest"; ;) {
      const reply = await this.#json(`/chat/${encodeURIComponent(room)}?after=${after}&wait=0`);
      if (!reply || reply.messages.length === 0) return all;
      all.push(...reply.messages);
      after = reply.next;
    }
  }

  /** What people said in a room, in its order. */
  async said(room) {
    const all = await this.all(room);
    return all.filter(({ kind }) => kind === "message").map(({ text }) => text);
  }

  /** How many polls the server holds in these rooms. */
  async waiting(...names) {
    const { rooms } = await this.#json("/rooms?limit=500");
    return rooms.filter(({ room }) => names.includes(room)).reduce((sum, { waiting }) => sum + waiting, 0);
  }
}
