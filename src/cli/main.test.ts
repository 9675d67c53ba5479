import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const ROOT = join(import.meta.dirname, "../..");

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly error: string;
}

function roster(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Ended {
  const main = join(import.meta.dirname, "main.ts");
  const env = { PATH: process.env["PATH"], ...environment };
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { encoding: "utf8", env });
  return { code: status, out: stdout, error: stderr };
}

test("--version prints the package's version and nothing else", () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  assert.deepEqual(roster(["--version"]), { code: 0, out: `${version}\n`, error: "" });
});

test("server --help lists every key under its section, with range and default", () => {
  const { code, out } = roster(["server", "--help"]);
  assert.equal(code, 0);
  const flat = out.replace(/\s+/g, " ");
  for (const part of ["Network:", "Push:", "--bolt-port <value>", "(a whole number, 0 to 65535; default 9600)"]) {
    assert.ok(flat.includes(part), part);
  }
});

test("config -o json tells each value and where it came from", () => {
  const { code, out } = roster(["config", "-o", "json", "--bolt-port", "1234", "--insecure"], { ROSTER_ZONE: "z1" });
  assert.equal(code, 0);
  const printed = JSON.parse(out);
  assert.deepEqual(printed["bolt-port"], { value: 1234, from: "flag --bolt-port" });
  assert.deepEqual(printed["insecure"], { value: true, from: "flag --insecure" });
  assert.deepEqual(printed["zone"], { value: "z1", from: "environment ROSTER_ZONE" });
  assert.deepEqual(printed["http-port"], { value: 9603, from: "default" });
});

test("config prints a table for people", () => {
  const { out } = roster(["config", "--push-compress", "false"]);
  assert.match(out, /^KEY +VALUE +IN FORCE +FROM/);
  assert.match(out, /^push-compress +false +false +flag --push-compress$/m);
});

test("a database's password is not printed", () => {
  const { out } = roster(["config", "--store-url", "postgres://roster:hunter2@db/roster"]);
  assert.ok(!out.includes("hunter2"), out);
  assert.match(out, /^store-url +\(hidden\) +\(hidden\) +flag --store-url$/m);
});

// A wrong command line ends with 2: starting again would not help.
const WRONG: readonly [behaviour: string, args: readonly string[], error: RegExp][] = [
  [
    "an unknown flag, with the one it meant",
    ["server", "--bolt-prot", "1"],
    /unknown option '--bolt-prot'[\s\S]*--bolt-port/,
  ],
  ["an unknown command", ["serve"], /unknown command 'serve'/],
  [
    "a value out of range",
    ["server", "--bolt-port", "70000"],
    /^roster: CONFIG_INVALID: .*bolt-port.*70000.*0 to 65535.*\n$/,
  ],
  [
    "a wrong database URL, without its password",
    ["server", "--store-url", "mysql://roster:secret@db/roster"],
    /^roster: CONFIG_INVALID: (?!.*secret).*store-url.*hidden.*postgres:.*\n$/,
  ],
  [
    "a role that there is not",
    ["server", "--roles", "data,date"],
    /^roster: CONFIG_INVALID: .*key=roles.*data,date.*meta, data, session.*\n$/,
  ],
  [
    "a session without meta nodes",
    ["server", "--roles", "session"],
    /^roster: CONFIG_INVALID: .*key=meta-addresses.*the node-port of each meta node.*\n$/,
  ],
  [
    "less memory than a registry can do with",
    ["server", "--memory-bytes-max", "1000000"],
    /^roster: CONFIG_INVALID: .*memory-bytes-max.*1000000.*0, or a whole number, 335544320 to .*\n$/,
  ],
  [
    "an address beyond loopback",
    ["server", "--bind", "0.0.0.0"],
    /^roster: BIND_REFUSED: .*0\.0\.0\.0.*--insecure.*\n$/,
  ],
];

test("config says what is in force where a value is bounded or chosen", () => {
  const args = ["--client-mute-idle-ms", "2000", "--client-connections-max", "1000000"];
  const printed = JSON.parse(roster(["config", "-o", "json", ...args]).out);
  assert.equal(printed["client-mute-idle-ms"].inForce, 20_000);
  assert.ok(printed["client-connections-max"].inForce <= 1_000_000);
  assert.ok(printed["memory-bytes-max"].inForce > 1024 * 1024);
  assert.equal(printed["node-port"].inForce, "none");
});

test("help names the flags of a command", () => {
  const { code, out } = roster(["help", "server"]);
  assert.equal(code, 0);
  assert.match(out, /--bolt-port <value>/);
});

test("1 in the environment switches on", () => {
  const { code, out } = roster(["config", "-o", "json"], { ROSTER_INSECURE: "1" });
  assert.equal(code, 0);
  assert.equal(JSON.parse(out).insecure.value, true);
});

for (const [behaviour, args, error] of WRONG) {
  test(`refuses ${behaviour}, in one line and with exit code 2`, () => {
    const ended = roster(args);
    assert.equal(ended.code, 2);
    assert.match(ended.error, error);
    assert.equal(ended.out, "");
  });
}
