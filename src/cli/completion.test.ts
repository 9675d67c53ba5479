import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Command } from "commander";
import { commandOf, flagOf } from "../admin/command.ts";
import { OPERATIONS } from "../admin/operations.ts";
import { type Completed, childOf } from "./commandKit.ts";
import { completionsFor } from "./completion.ts";
import { COMPLETION_SCRIPTS } from "./completionScripts.ts";
import { program } from "./program.ts";

const ROOT = program({ exit: 0 });

async function offered(line: string, asked: (kind: Completed) => readonly string[] = () => []): Promise<string[]> {
  const find = async (kind: Completed) => asked(kind).map((value) => ({ value, about: "" }));
  return (await completionsFor(ROOT, line.split(" ").slice(1), find)).map(({ value }) => value);
}

for (const operation of OPERATIONS) {
  const { words, flags } = commandOf(operation);
  test(`the command, the flags and the help of ${operation.name} come from its row`, async () => {
    const [main = ""] = words;
    const group = main.split(" ").slice(0, -1);
    const at = ["roster", ...group, ""].join(" ");
    assert.ok((await offered(at)).includes(main.split(" ").at(-1) ?? ""), main);
    const long = await offered(`roster ${main} --`);
    for (const { name } of flags) assert.ok(long.includes(`--${flagOf(name)}`), `${main} --${flagOf(name)}`);
    let command: Command | undefined = ROOT;
    for (const word of main.split(" ")) command = command && childOf(command, word);
    assert.ok(command?.helpInformation().replace(/\s+/g, " ").includes(operation.about.slice(0, 60)));
  });
}

test("values are offered by their kind: nodes, services, choices, forms, contexts", async () => {
  const ofKind = (kind: Completed) => [typeof kind === "string" ? kind : kind.type];
  assert.deepEqual(await offered("roster drain ", ofKind), ["node"]);
  assert.deepEqual(await offered("roster describe service ", ofKind), ["service"]);
  assert.deepEqual(await offered("roster get instances 10.0.0.1 ", ofKind), ["list"]);
  assert.deepEqual(await offered("roster get slots --state ", ofKind), ["choice"]);
  assert.deepEqual(await offered("roster get slots --context ", ofKind), ["context"]);
  assert.deepEqual(await offered("roster get slots --context=", ofKind), ["--context=context"]);
  assert.deepEqual(await offered("roster get nodes -o j"), ["json"]);
  assert.deepEqual(await offered("roster get nodes --output=w"), ["--output=wide"]);
  assert.deepEqual(await offered("roster drain n1 ", ofKind), []);
  assert.deepEqual(await offered("roster no such command "), []);
});

/** A `roster` in a folder of its own, and the folder's PATH. */
function rosterOnPath(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "roster-path-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const main = join(import.meta.dirname, "main.ts");
  writeFileSync(join(folder, "roster"), `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`);
  chmodSync(join(folder, "roster"), 0o755);
  return `${folder}:${process.env["PATH"]}`;
}

// The last word of a line is what readline replaces: behind the last character of COMP_WORDBREAKS.
const LINES: readonly [line: string, replies: string][] = [
  ["roster doct", "doctor"],
  ["roster get nodes -o ", "table wide json yaml name"],
  ["roster get nodes --output=j", "json"],
  ["roster get nodes --output=", "table wide json yaml name"],
  ["roster completion ", "bash zsh fish"],
  ["roster get slots --state=s", "serving silent"],
  ["roster import ", ""],
];

test("a real bash completes commands, flags and values", (t) => {
  const calls = LINES.map(
    ([line]) => `COMP_LINE=${quoted(line)}; COMP_POINT=\${#COMP_LINE}; _roster; echo "\${COMPREPLY[*]}"`,
  );
  const script = ["source <(roster completion bash)", "complete -p roster >&2", ...calls].join("\n");
  const environment = { PATH: rosterOnPath(t), HOME: tmpdir() };
  const { stdout, stderr } = spawnSync("bash", ["-c", script], { encoding: "utf8", env: environment });
  assert.deepEqual(
    stdout
      .trimEnd()
      .split("\n")
      .slice(0, LINES.length - 1),
    LINES.slice(0, -1).map(([, replies]) => replies),
    stderr,
  );
  assert.equal(stderr, "complete -o bashdefault -o default -F _roster roster\n");
});

function quoted(text: string): string {
  return `'${text}'`;
}

for (const shell of ["bash", "zsh", "fish"] as const) {
  test(`${shell}, where it is installed, finds no mistake in its script`, (t) => {
    const { error } = spawnSync(shell, ["-c", "exit"]);
    if (error !== undefined) return t.diagnostic(`${shell} is not installed here`);
    const folder = mkdtempSync(join(tmpdir(), "roster-script-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(join(folder, "script"), COMPLETION_SCRIPTS[shell]);
    execFileSync(shell, ["-n", join(folder, "script")]);
  });
}
