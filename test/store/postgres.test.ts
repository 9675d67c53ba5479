// The harness itself: a test that dies, however it dies, leaves no server behind.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { startPostgres } from "./postgres.ts";
import { eventually, withPostgres } from "./withPostgres.ts";

await withPostgres("PostgreSQL harness", (server) => {
  test("a server keeps its port and its data over every way to stop it", async () => {
    await server.sql("CREATE TABLE kept (n integer)");
    await server.halt();
    await server.start();
    await server.sql("INSERT INTO kept VALUES (1)");
    await server.kill();
    await server.start();
    server.pause();
    server.resume();
    await server.restart();
    assert.deepEqual(await server.sql("SELECT n FROM kept"), [{ n: 1 }]);
  });

  test("a folder that was named is left there, and used again", async () => {
    const dir = mkdtempSync(join(tmpdir(), "roster-pg-named-"));
    const first = await startPostgres({ dir });
    await first.sql("CREATE TABLE kept (n integer)");
    await first.stop();
    await first.stop();
    const second = await startPostgres({ dir, port: first.port });
    assert.deepEqual(await second.sql("SELECT n FROM kept"), []);
    await second.stop();
    rmSync(dir, { recursive: true });
  });

  test("a server that is frozen can be stopped", async () => {
    const frozen = await startPostgres();
    frozen.pause();
    await frozen.stop();
    assert.ok(!existsSync(frozen.dir));
  });

  for (const [how, code, signal] of [
    ["is killed", "", "SIGKILL"],
    ["is killed while the server is frozen", "server.pause();", "SIGKILL"],
    ["is told to end", "", "SIGTERM"],
    ["is told to end while the server is frozen", "server.pause();", "SIGTERM"],
    ["is interrupted", "", "SIGINT"],
    ["throws", "setTimeout(() => { throw new Error('as expected'); }, 10);", undefined],
    ["forgets it", "setTimeout(() => process.stdin.destroy(), 10);", undefined],
  ] as const) {
    test(`a server ends with a process that ${how}`, async () => {
      const { child, port, dir } = await starter(code);
      if (signal !== undefined) child.kill(signal);
      await once(child, "exit");
      await eventually(async () => !(await listens(port)));
      if (signal === "SIGKILL") rmSync(dir, { recursive: true, force: true });
      assert.ok(!existsSync(dir));
    });
  }
});

/** A process that has started a server, said where, done something to it, and waits. */
async function starter(code: string): Promise<{ child: ChildProcess; port: number; dir: string }> {
  const module = JSON.stringify(new URL("./postgres.ts", import.meta.url).href);
  const script = `const { startPostgres } = await import(${module});
    const server = await startPostgres(); ${code} process.stdin.resume();
    console.log(JSON.stringify({ port: server.port, dir: server.dir }));`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["pipe", "pipe", "ignore"] });
  const [said] = await once(child.stdout, "data");
  return { child, ...JSON.parse(String(said)) };
}

async function listens(port: number): Promise<boolean> {
  const socket = createConnection(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
