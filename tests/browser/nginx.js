// A real nginx before a server of a test's own, under a prefix.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { until } from "./browser.js";

/** A port of this machine that was free a moment ago. */
export async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const listens = (port) =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => resolve(true));
    socket.on("error", () => resolve(false)).on("connect", () => socket.destroy());
  });

/** nginx at a port; `location` is what it does with requests. Gives a function that ends it. */
export async function nginx(port, location) {
  const directory = mkdtempSync(join(tmpdir(), "comet-chat-nginx-"));
  const paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `${name}_temp_path ${name};`);
  const user = process.getuid() === 0 ? "user root;" : "";
  // One process, so that nothing is left when it is killed.
  writeFileSync(
    join(directory, "nginx.conf"),
    `${user} daemon off; master_process off; pid nginx.pid; error_log stderr;
     events {}
     http { access_log off; ${paths.join(" ")} server { listen 127.0.0.1:${port}; ${location} } }`,
  );
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };
  const child = spawn("nginx", ["-p", directory, "-c", "nginx.conf"], { env, stdio: ["ignore", "ignore", "inherit"] });
  // A test that fails does not keep the run from its end.
  child.unref();
  const ended = new Promise((resolve) => child.on("exit", resolve).on("error", resolve));
  const kill = () => child.kill("SIGKILL");
  // If a test fails.
  process.on("exit", kill);
  const end = async () => {
    kill();
    await ended;
    rmSync(directory, { recursive: true });
  };
  const failed = ended.then((why) => {
    throw new Error(`nginx ended: ${why}`);
  });
  failed.catch(() => {});
  await Promise.race([until("nginx listens", () => listens(port)), failed]);
  return end;
}
