// The walk of docs/guide/operate.md: its commands are read from the page and run in one shell, against the cluster that
// they start, with free ports in place of the page's. The words behind `#` are in what the command prints.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { eventually } from "../../src/server/testing/eventually.ts";

const ROOT = join(import.meta.dirname, "../..");

interface Step {
  readonly command: string;
  readonly words: string;
}

function stepsOf(page: string): readonly Step[] {
  const [, walk = ""] = /^## A walk\n(.*?)^## /ms.exec(page) ?? [];
  return [...walk.matchAll(/```sh\n(.*?)```/gs)].flatMap(([, block = ""]) =>
    block
      .trimEnd()
      .split("\n")
      .map((line) => {
        const [command = "", words = ""] = line.split(/ {2,}# /);
        return { command: command.trimEnd(), words };
      }),
  );
}

/** The page's ports, and a free one for each. All are held until the last is found, so that they differ. */
async function freePortsFor(ports: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const servers = ports.map(() => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => new Promise((resolve) => server.once("listening", resolve))));
  const free = servers.map((server) => {
    const address = server.address();
    return typeof address === "object" && address !== null ? String(address.port) : "";
  });
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return new Map(ports.map((port, at) => [port, free[at] ?? ""]));
}

/** One shell, to which commands are given one after the other. */
class Shell {
  readonly #child: ChildProcess;
  #out = "";
  #count = 0;

  constructor(t: TestContext) {
    const home = mkdtempSync(join(tmpdir(), "roster-walk-"));
    mkdirSync(join(home, "bin"));
    const main = join(ROOT, "src/cli/main.ts");
    writeFileSync(join(home, "bin/roster"), `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`);
    chmodSync(join(home, "bin/roster"), 0o755);
    const env = { PATH: `${join(home, "bin")}:${process.env["PATH"]}`, HOME: home };
    // A group of its own, so that all that it starts can be ended.
    this.#child = spawn("bash", ["--norc"], { cwd: home, env, detached: true, stdio: ["pipe", "pipe", "pipe"] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#out += text;
      });
    }
    t.after(async () => {
      const ended = new Promise((resolve) => this.#child.once("close", resolve));
      if (this.#child.pid !== undefined) process.kill(-this.#child.pid, "SIGKILL");
      await ended;
      rmSync(home, { recursive: true, force: true });
    });
  }

  /** Runs a line; its output, and the exit code. */
  async run(line: string): Promise<{ readonly printed: string; readonly code: number }> {
    const from = this.#out.length;
    const mark = `<<${++this.#count}:`;
    this.#child.stdin?.write(`${line}\necho "${mark}$?>>"\n`);
    const rest = () => this.#out.slice(from);
    await eventually(rest, (text) => text.includes(mark) && text.trimEnd().endsWith(">>"), 150_000);
    const [printed = "", code = ""] = rest().split(mark);
    return { printed, code: Number(code.replace(/\D/g, "")) };
  }
}

test("the walk of the guide to operation does what its page says", { timeout: 280_000 }, async (t) => {
  const page = readFileSync(join(ROOT, "docs/guide/operate.md"), "utf8");
  const steps = stepsOf(page);
  assert.ok(steps.length > 25, `${steps.length} commands`);
  const used = new Set(steps.flatMap(({ command }) => command.match(/\b7[01]\d\d\b/g) ?? []));
  const ports = await freePortsFor([...used]);
  const shell = new Shell(t);
  for (const { command, words } of steps) {
    const line = command.replace(/\b7[01]\d\d\b/g, (port) => ports.get(port) ?? port);
    // A cluster needs a moment to show the change before: one asks again.
    const isQuestion = /^roster (?:get|describe|explain|doctor|watch)\b/.test(line);
    await eventually(
      () => shell.run(line),
      ({ printed, code }) => {
        const isAsExpected = code === 0 && printed.includes(words);
        assert.ok(isAsExpected || isQuestion, `${command}: exit code ${code}, without "${words}": ${printed}`);
        return isAsExpected;
      },
      90_000,
    );
  }
});
