// The published package is tested: the packed tarball, installed into a project of its own, serves and stops.

import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

const ROOT = join(import.meta.dirname, "..");
const project = mkdtempSync(join(tmpdir(), "roster-package-"));
const main = join(project, "node_modules/.bin/roster");
const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };
const tarball = `roster-registry-${version}.tgz`;

before(() => {
  execFileSync("npm", ["pack", "--silent", "--pack-destination", project], { cwd: ROOT });
  writeFileSync(join(project, "package.json"), '{ "private": true }');
  // Prefer what the cache has: the packages were fetched for this repository a moment ago.
  const install = ["install", "--silent", "--prefer-offline", "--no-audit", "--no-fund", `./${tarball}`];
  execFileSync("npm", install, { cwd: project });
});

after(() => rmSync(project, { recursive: true, force: true }));

test("the package holds what users need, and no tests", () => {
  const folder = join(project, "node_modules/roster-registry");
  const files = readdirSync(folder, { recursive: true }).map(String);
  for (const file of ["dist/cli/main.js", "dist/cli/main.d.ts", "LICENSE", "README.md"])
    assert.ok(files.includes(file), file);
  assert.deepEqual(
    files.filter((file) => /\.test\.|suite\.|^src\//.test(file)),
    [],
  );
});

test("roster --version prints the version", () => {
  assert.equal(execFileSync(process.execPath, [main, "--version"], { encoding: "utf8" }), `${version}\n`);
});

test("npx runs it from the tarball, installed nowhere", (t) => {
  const command = ["--yes", "--prefer-offline", `--package=${join(project, tarball)}`, "--", "roster", "--version"];
  // In a folder where nothing is installed that it could find.
  const folder = mkdtempSync(join(tmpdir(), "roster-npx-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  assert.equal(execFileSync("npx", command, { cwd: folder, encoding: "utf8" }), `${version}\n`);
});

test("roster server answers, and stops in order within 5 s of SIGTERM", { timeout: 60_000 }, async () => {
  const [bolt, http, meta, data, admin] = await freePorts(5);
  const operators = ["--meta-http-port", `${meta}`, "--data-http-port", `${data}`, "--admin-port", `${admin}`];
  const others = [
    "--nacos-port",
    "0",
    "--nacos-grpc-port",
    "0",
    "--zookeeper-port",
    "0",
    "--consul-port",
    "0",
    "--dns-port",
    "0",
  ];
  const ports = ["--bolt-port", `${bolt}`, "--http-port", `${http}`, "--eureka-port", "0", ...others, ...operators];
  const dataDir = join(project, "data");
  const server = spawn(process.execPath, [main, "server", "--data-dir", dataDir, ...ports], { stdio: "inherit" });
  await assertAlive(server, `http://127.0.0.1:${http}/api/servers/alive`);
  const exited = once(server, "exit", { signal: AbortSignal.timeout(5_000) });
  server.kill("SIGTERM");
  assert.deepEqual(await exited, [0, null]);
});

async function assertAlive(server: ChildProcess, url: string): Promise<void> {
  for (let attempt = 0; attempt < 100 && server.exitCode === null; attempt++) {
    const answer = await fetch(url).then(
      (response) => response.text(),
      () => undefined,
    );
    if (answer !== undefined) {
      assert.equal(answer, "OK");
      return;
    }
    await sleep(100);
  }
  server.kill("SIGKILL");
  assert.fail(`no answer from ${url}; exit code ${server.exitCode}`);
}

/** Ports that were free a moment ago. All are held until the last is found, so that they differ. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  });
  await Promise.all(servers.map((server) => once(server.close(), "close")));
  return ports;
}
