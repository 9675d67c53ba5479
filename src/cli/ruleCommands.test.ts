// The commands about rules, as processes.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { RunningServer } from "../server/start.ts";
import { eventually } from "../server/testing/eventually.ts";
import { operate, TestNodes } from "../server/testing/testNodes.ts";
import { EXIT } from "./exitCodes.ts";
import { type Ended, type RunningCommand, startRoster } from "./testing/rosterCommand.ts";

const nodes = new TestNodes();
const home = mkdtempSync(join(tmpdir(), "roster-home-"));
const started: RunningCommand[] = [];
let server: RunningServer;

before(async () => {
  server = await nodes.start(["meta", "data", "session"]);
  await eventually(
    async () => (await operate(server, "GET", "/rules")).status,
    (status) => status === 200,
    30_000,
  );
});

after(async () => {
  for (const { child } of started) child.kill("SIGKILL");
  await nodes.close();
  rmSync(home, { recursive: true, force: true });
});

const environment = () => ({
  HOME: home,
  USER: "ana",
  ROSTER_URL: `127.0.0.1:${server.ports.admin}`,
  ROSTER_TOKEN: server.localToken,
});

function roster(...args: string[]): Promise<Ended> {
  const running = startRoster(args, environment());
  started.push(running);
  return running.ended;
}

/** The output of a command that succeeds. */
async function printed(...args: string[]): Promise<string> {
  const { code, out, error } = await roster(...args);
  assert.equal(code, 0, `${args.join(" ")}: ${error}`);
  return out;
}

test("an address is offline with a reason, an end and the name of the user, until it is online again", async () => {
  assert.equal(
    await printed("offline", "10.0.0.7", "10.1.0.0/16", "--preview", "-o", "name"),
    "offline-10.0.0.7-and-1-more\n",
  );
  assert.equal(await printed("get", "offline", "-o", "name"), "");
  const offline = await printed("offline", "10.0.0.7", "10.1.0.0/16", "--for", "30m", "--reason", "bad disk");
  assert.match(offline, /^is-done: +true\nmessage: +10\.0\.0\.7, 10\.1\.0\.0\/16 are offline/);
  assert.match(
    await printed("get", "offline"),
    /10\.0\.0\.7 +false +offline-10\.0\.0\.7-and-1-more +\S+Z +ana \(local\) +bad disk\n/,
  );
  const rules = JSON.parse(await printed("get", "rules", "-o", "json"));
  assert.equal(rules.items[0].setBy, "ana (local)");
  assert.match(await printed("describe", "rule", "offline-10.0.0.7-and-1-more", "-o", "yaml"), /- "10\.1\.0\.0\/16"/);
  assert.match(await printed("online", "10.0.0.7", "10.1.2.3"), /has an exception for 10\.1\.2\.3/);
  await printed("rule", "remove", "offline-10.0.0.7-and-1-more");
  assert.equal(await printed("get", "rules", "-o", "name"), "");
});

test("addresses come from a file", async () => {
  const file = join(home, "addresses");
  writeFileSync(file, "10.0.0.1, 10.0.0.2\n10.0.0.3\n");
  await printed("offline", "--file", file, "--rule", "many");
  assert.equal(await printed("get", "offline", "-o", "name"), "10.0.0.1\n10.0.0.2\n10.0.0.3\n");
  await printed("online", "--file", file);
  const both = await roster("offline", "10.0.0.1", "--file", file);
  assert.equal(both.code, EXIT.wrongUsage);
});

test("pushes and the blacklist are switched, shown and switched back", async () => {
  assert.match(await printed("switch", "show"), /^state: +pushed\n/);
  await printed("switch", "stop-push", "--service", "orders", "--reason", "network");
  assert.match(
    await printed("switch", "show"),
    /^state: +stopped for some\n[\s\S]*stop-push-orders +service orders +- +ana \(local\) +network/,
  );
  await printed("switch", "start-push", "--service", "orders");
  await printed("switch", "stop-push", "--all");
  await printed("switch", "start-push", "--address", "10.0.0.7");
  assert.match(await printed("switch", "show"), /^state: +stopped\nopen: +10\.0\.0\.7\n/);
  await printed("switch", "start-push", "--all");
  await printed("blacklist", "add", "orders", "--prefix", "com.example.");
  assert.match(await printed("blacklist", "list", "-o", "name"), /^com\.example\.\norders#@#.*\n$/);
  await printed("blacklist", "remove", "orders", "--prefix", "com.example.");
  assert.equal(await printed("get", "rules", "-o", "name"), "");
});

test("a registration that comes from another address is a client of that address, and subscribes", async () => {
  const running = startRoster(
    ["register", "orders", "10.0.0.9:22", "--from", "127.0.0.9", "--subscribe"],
    environment(),
  );
  started.push(running);
  await eventually(running.out, (out) => out.includes("is registered"));
  const subscribers = async () => JSON.parse(await printed("get", "subscribers", "127.0.0.9", "-o", "json")).items;
  await eventually(subscribers, (items) => items.length === 1 && items[0].seenVersion !== "0");
  await printed("offline", "127.0.0.9", "--hold-pushes");
  assert.match(
    await printed("describe", "hidden-service", "orders"),
    /127\.0\.0\.9 +roster +10\.0\.0\.9:22 +offline-127\.0\.0\.9\n/,
  );
  await printed("online", "127.0.0.9");
  assert.equal(await printed("describe", "hidden-service", "orders", "-o", "name"), "");
  running.child.kill("SIGINT");
  assert.equal((await running.ended).code, 0);
});

test("each failure has its exit code and changes nothing", async () => {
  const failures: readonly (readonly [args: string, code: number, error: RegExp])[] = [
    ["offline", EXIT.wrongUsage, /FIELD_INVALID.*address/],
    ["offline 10.0.0.1/8", EXIT.wrongUsage, /FIELD_INVALID.*10\.0\.0\.0\/8/],
    ["offline 10.0.0.1 --for 30", EXIT.wrongUsage, /FIELD_INVALID.*for.*30m/],
    ["switch stop-push", EXIT.wrongUsage, /FIELD_INVALID.*one of all/],
    ["register orders 10.0.0.1:80 --from nowhere", EXIT.wrongUsage, /FIELD_INVALID.*--from.*nowhere/],
    ["describe rule no-such", EXIT.unknown, /RULE_UNKNOWN.*no-such/],
    ["rule remove no-such", EXIT.unknown, /RULE_UNKNOWN.*no-such/],
    ["rule put r holdPushes --if-epoch 7", EXIT.conflict, /RULE_CHANGED/],
    ["rule put r hidePublications", EXIT.wrongUsage, /FIELD_INVALID.*empties every list/],
  ];
  await Promise.all(
    failures.map(async ([args, code, error]) => {
      const ended = await roster(...args.split(" "));
      assert.deepEqual([ended.code, ended.out], [code, ""], args);
      assert.match(ended.error, error);
    }),
  );
  assert.equal(await printed("get", "rules", "-o", "name"), "");
});

test("the commands of the guide's general form work", async () => {
  const page = readFileSync(join(import.meta.dirname, "../../docs/guide/rules.md"), "utf8");
  const [, block = ""] = /^## The general form\n.*?```sh\n(.*?)```/ms.exec(page) ?? [];
  const lines = block
    .replace(/\\\n/g, "")
    .replace(/ +#.*$/gm, "")
    .trim()
    .split("\n");
  assert.equal(lines.length, 3);
  for (const line of lines) {
    const [, ...words] = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "");
    await printed(...words);
  }
});

test("completion offers the rules and addresses that there are", async () => {
  await printed("offline", "10.0.0.7", "--reason", "bad disk");
  assert.equal(await printed("complete", "describe", "rule", "off"), "offline-10.0.0.7\tbad disk\n");
  assert.equal(await printed("complete", "online", ""), "10.0.0.7\tbad disk\n");
  assert.match(
    await printed("complete", "switch", "st"),
    /^stop-push\tStops pushes: .*\nstart-push\tStarts pushes again/,
  );
});
