// The commands for TLS of docs/guide/secure.md: they are read from the page and run in one shell, with free ports in
// place of the page's. The words behind `#` are what the command before prints.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

const ROOT = join(import.meta.dirname, "../..");
const PAGE = readFileSync(join(ROOT, "docs/guide/secure.md"), "utf8");

async function freePort(): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return String(port);
}

test("the five commands for TLS do what the page says", { timeout: 120_000 }, async (t) => {
  const [, commands = ""] = /^## TLS\n.*?```sh\n(.*?)```/ms.exec(PAGE) ?? [];
  const expected = commands
    .trim()
    .split("\n")
    .flatMap((line) => line.split(/ {2,}# /)[1] ?? []);
  assert.deepEqual(expected, ["ok"]);
  const home = mkdtempSync(join(tmpdir(), "roster-secure-"));
  mkdirSync(join(home, "bin"));
  const main = join(ROOT, "src/cli/main.ts");
  writeFileSync(join(home, "bin/roster"), `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`);
  chmodSync(join(home, "bin/roster"), 0o755);
  const admin = await freePort();
  const environment = {
    PATH: `${join(home, "bin")}:${process.env["PATH"]}`,
    HOME: home,
    ...{ ROSTER_BOLT_PORT: "0", ROSTER_HTTP_PORT: "0", ROSTER_META_HTTP_PORT: "0", ROSTER_DATA_HTTP_PORT: "0" },
    ...{ ROSTER_ADMIN_PORT: admin, ROSTER_EUREKA_PORT: "0", ROSTER_ZOOKEEPER_PORT: "0", ROSTER_LOG_LEVEL: "error" },
    ...{ ROSTER_NACOS_PORT: "0", ROSTER_NACOS_GRPC_PORT: "0", ROSTER_CONSUL_PORT: "0", ROSTER_DNS_PORT: "0" },
  };
  // A group of its own, so that the server can be ended too.
  const shell = spawn("bash", ["--norc", "-e"], { cwd: home, env: environment, detached: true });
  const ended = once(shell, "close");
  let out = "";
  let errors = "";
  shell.stdout.on("data", (chunk) => {
    out += String(chunk);
  });
  shell.stderr.on("data", (chunk) => {
    errors += String(chunk);
  });
  t.after(async () => {
    if (shell.pid !== undefined) process.kill(-shell.pid, "SIGKILL");
    await ended;
    rmSync(home, { recursive: true, force: true });
  });
  const finished = once(shell, "exit");
  shell.stdin.end(commands.replaceAll("9604", admin));
  const [code] = await finished;
  assert.equal(code, 0, errors);
  assert.equal(out.trim(), "ok", errors);
});
