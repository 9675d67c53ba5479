// The commands against a registry, as processes.

import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { RunningServer } from "../server/start.ts";
import { eventually } from "../server/testing/eventually.ts";
import { TestClient } from "../server/testing/testClient.ts";
import { operate, TestNodes } from "../server/testing/testNodes.ts";
import { EXIT } from "./exitCodes.ts";
import { type Ended, type RunningCommand, startRoster } from "./testing/rosterCommand.ts";

const nodes = new TestNodes();
const home = mkdtempSync(join(tmpdir(), "roster-home-"));
const started: RunningCommand[] = [];
let server: RunningServer;
let client: TestClient;

before(async () => {
  server = await nodes.start(["meta", "data", "session"]);
  client = new TestClient(() => server.ports.bolt);
  client.subscribe("orders");
  const url = `127.0.0.1:${server.ports.admin}`;
  await roster("context", "add", "here", url);
  const slots = async () => (await operate(server, "GET", "/slots")).body.items;
  await eventually(slots, (rows) => rows.length === 256 && rows.every(({ state }) => state === "serving"));
});

after(async () => {
  for (const { child } of started) child.kill("SIGKILL");
  client.close();
  await nodes.close();
  rmSync(home, { recursive: true, force: true });
});

function start(args: readonly string[], input?: string): RunningCommand {
  const running = startRoster(args, { HOME: home, ROSTER_TOKEN: server.localToken }, input);
  started.push(running);
  return running;
}

/** Runs a command to its end. */
function roster(...args: string[]): Promise<Ended> {
  return start(args).ended;
}

async function assertEnds(args: readonly string[], code: number, error: RegExp): Promise<void> {
  const ended = await roster(...args);
  assert.equal(ended.code, code, ended.error);
  assert.match(ended.error, error);
  assert.equal(ended.out, "");
}

test("commands go to the current context; a list of one part is printed whole", async () => {
  const { code, out, error } = await roster("get", "nodes");
  assert.deepEqual([code, error], [0, ""]);
  assert.match(out, /^ID +ROLE +STATE/);
  assert.match(out, / data +up /);
});

test("the commands of earlier releases are aliases", async () => {
  const [members, slots, held] = await Promise.all([roster("members"), roster("slots", "-o", "json"), roster("held")]);
  assert.match(members.out, / session +up /);
  assert.equal(JSON.parse(slots.out).items.length, 256);
  assert.match(held.out, /^SERVICE /);
});

test("each failure has its exit code and says what was wrong", async () => {
  await Promise.all([
    assertEnds(
      ["get", "instances", "10.0.0.0/8"],
      EXIT.wrongUsage,
      /^roster: FIELD_INVALID: .*address.*10\.0\.0\.0\/8/,
    ),
    assertEnds(["get", "nodes", "--limt", "1"], EXIT.wrongUsage, /unknown option '--limt'[\s\S]*--help/),
    assertEnds(["config", "get", "no-such"], EXIT.unknown, /^roster: CONFIG_VALUE_UNKNOWN: .*no-such/),
    assertEnds(["describe", "service", "no-such"], EXIT.unknown, /^roster: SERVICE_UNKNOWN: .*no-such/),
    assertEnds(["config", "set", "a", "b", "--if-version", "7"], EXIT.conflict, /^roster: VERSION_CONFLICT: /),
    assertEnds(
      ["get", "nodes", "--url", "127.0.0.1:2"],
      EXIT.unreachable,
      /^roster: NODE_UNREACHABLE: .*127\.0\.0\.1:2/,
    ),
    assertEnds(["get", "nodes", "--context", "there"], EXIT.unknown, /^roster: CONTEXT_UNKNOWN: .*there.*\[here\]/),
    assertEnds(["deregister", "no-such"], EXIT.unknown, /^roster: REGISTRATION_UNKNOWN: /),
    assertEnds(["import", "no-such-file"], EXIT.wrongUsage, /^roster: FILE_UNUSABLE: .*no-such-file/),
  ]);
});

test("failures are JSON for one who asked for JSON, also those of the command line", async () => {
  const unknown = await roster("config", "get", "no-such", "-o", "json");
  assert.equal(unknown.code, EXIT.unknown);
  const { error } = JSON.parse(unknown.error);
  assert.deepEqual([error.code, error.retry, error.exit], ["CONFIG_VALUE_UNKNOWN", false, EXIT.unknown]);
  const mistyped = await roster("get", "nodse", "--output=json");
  assert.equal(mistyped.code, EXIT.wrongUsage);
  assert.match(JSON.parse(mistyped.error).error.message, /nodse/);
});

test("a registration lasts until deregister, which says so; a subscriber sees it come and go", async () => {
  const running = start(["register", "orders", "10.0.0.7:12200", "10.0.0.8:12200"]);
  await eventually(
    () => client.list("orders"),
    (list) => list === "10.0.0.7:12200 10.0.0.8:12200",
    30_000,
  );
  const described = JSON.parse((await roster("describe", "service", "orders", "-o", "json")).out);
  assert.equal(described.items[0].application, "roster");
  const ended = await roster("deregister", "orders");
  assert.deepEqual([ended.code, ended.error], [0, ""]);
  assert.match(ended.out, /^10\.0\.0\.7:12200 10\.0\.0\.8:12200 is deregistered from orders#@#/);
  const { code, out } = await running.ended;
  assert.equal(code, 0);
  assert.match(out, /is registered for orders#@#.* until Ctrl-C\n.*is deregistered\n$/);
  await eventually(
    () => client.list("orders"),
    (list) => list === "",
  );
  assert.deepEqual(readdirSync(join(home, ".local/state/roster/registrations")), []);
});

test("Ctrl-C ends a registration in order, and deregister does not wait for a killed one", async () => {
  const [first, second] = [start(["register", "orders", "10.0.0.7:1"]), start(["register", "orders", "10.0.0.8:1"])];
  for (const running of [first, second]) {
    await eventually(running.out, (out) => out.includes("is registered"));
  }
  first.child.kill("SIGINT");
  assert.equal((await first.ended).code, 0);
  second.child.kill("SIGKILL");
  await second.ended;
  await assertEnds(["deregister", "orders"], EXIT.unknown, /REGISTRATION_UNKNOWN/);
  assert.deepEqual(readdirSync(join(home, ".local/state/roster/registrations")), []);
  await eventually(
    () => client.list("orders"),
    (list) => list === "",
  );
});

test("a registration that the session refuses ends the command with the reason", async () => {
  const session = `127.0.0.1:${server.ports.bolt}`;
  const running = await roster("register", "a\u0007b", "10.0.0.7:1", "--session", session);
  assert.deepEqual([running.code, running.out], [EXIT.wrongUsage, ""]);
  const nobody = await roster("register", "orders", "10.0.0.7:1", "--zone", "z\u0007", "--session", session);
  assert.equal(nobody.code, EXIT.failed, nobody.error);
  assert.match(nobody.error, /OPERATION_FAILED: .*zone/);
});

test("watch shows what there is, each change, and ends after as many as were asked for", async () => {
  client.publish("watched", "10.0.0.1:80");
  await eventually(
    async () => (await operate(server, "GET", "/service?service=watched")).status,
    (status) => status === 200,
  );
  const running = start(["watch", "service", "watched", "--changes", "1", "-o", "json"]);
  await eventually(running.out, (out) => out.includes("present"));
  client.publish("watched", "10.0.0.2:80");
  const { code, out } = await running.ended;
  assert.equal(code, 0);
  const events = out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  assert.deepEqual(
    events.map(({ event, row }) => [event, row.boxes]),
    [
      ["present", ["10.0.0.1:80"]],
      ["come", ["10.0.0.2:80"]],
    ],
  );
});

test("watch asks again where a node can't wait, and ends at its time", async () => {
  const running = start(["watch", "configs", "--interval-ms", "100", "--for-ms", "60000", "--changes", "1"]);
  await eventually(running.out, (out) => out.includes("KEY"));
  await operate(server, "PUT", "/config", { key: "watched", data: "on" });
  const { code, out } = await running.ended;
  assert.equal(code, 0);
  assert.match(out, /^\+ +watched#@#/m);
  await operate(server, "DELETE", "/config?key=watched");
  assert.equal((await roster("watch", "nodes", "--for-ms", "1")).code, 0);
});

test("a value comes from the line, a file or standard input; export and import carry all values over", async () => {
  assert.equal((await roster("config", "set", "colour", "red")).code, 0);
  assert.equal((await start(["config", "set", "size", "--file", "-"], "line 1\nline 2\n").ended).code, 0);
  const exported = (await roster("export")).out;
  assert.deepEqual(
    JSON.parse(exported).configs.map(({ data }: { data: string }) => data),
    ["red", "line 1\nline 2\n"],
  );
  await roster("config", "set", "colour", "blue");
  await roster("config", "remove", "size");
  const preview = await start(["import", "-", "--preview"], exported).ended;
  assert.match(preview.out, /colour#.* would be changed\nsize#.* would be added\n$/);
  const done = await start(["import", "-"], exported).ended;
  assert.match(done.out, /colour#.* changed\nsize#.* added\n$/);
  assert.equal(
    (await roster("config", "get", "size", "-o", "name")).out,
    "size#@#DEFAULT_INSTANCE_ID#@#DEFAULT_GROUP\n",
  );
  const again = await start(["import", "-", "-o", "json"], exported).ended;
  assert.deepEqual(
    JSON.parse(again.out).map(({ result }: { result: string }) => result),
    ["unchanged", "unchanged"],
  );
  for (const bad of ["", "{}", '{"format": "roster-export-1"}', '{"format": "roster-export-1", "configs": [{}]}']) {
    const refused = await start(["import", "-"], bad).ended;
    assert.deepEqual([refused.code, refused.out], [EXIT.wrongUsage, ""], bad);
  }
});

test("--all shows a list of many parts, and without it the rest is named", async () => {
  for (let at = 0; at < 5; at++) await operate(server, "PUT", "/config", { key: `many-${at}`, data: "x" });
  const part = await roster("get", "configs", "many-*", "--limit", "2");
  assert.equal(part.out.trimEnd().split("\n").length, 3);
  assert.match(part.error, /a part of 5; --all/);
  const all = await roster("get", "configs", "many-*", "--limit", "2", "--all");
  assert.equal(all.out.trimEnd().split("\n").length, 6);
});

test("the doctor finds a registry of one process well, with a warning", async () => {
  const { code, out } = await roster("doctor", "--wait-ms", "30000");
  assert.equal(code, 0, out);
  assert.match(out, /^ok +nodes +all 1 answer/m);
  assert.match(out, /^WARNING +slots +one data node has everything/m);
  const { findings } = JSON.parse((await roster("doctor", "-o", "json")).out);
  assert.ok(findings.every(({ level }: { level: string }) => level !== "error"));
});

test("contexts are listed, used and removed", async () => {
  assert.equal((await roster("context", "add", "there", "10.0.0.1:9604,10.0.0.2:9604")).out, "there is added\n");
  assert.match((await roster("context", "list")).out, /^\* +here .*\n +there +10\.0\.0\.1:9604,10\.0\.0\.2:9604\n$/m);
  assert.equal((await roster("context", "add", "bad name", "10.0.0.1:9604")).code, EXIT.wrongUsage);
  assert.equal((await roster("context", "use", "there")).code, 0);
  assert.equal(JSON.parse((await roster("context", "list", "-o", "json")).out).current, "there");
  await roster("context", "use", "here");
  assert.equal((await roster("context", "remove", "there")).code, 0);
  assert.equal((await roster("context", "use", "there")).code, EXIT.unknown);
});

test("a user is added, logs in and out; the token is in a file that only this user can read", async () => {
  const added = await roster("user", "add", "ann", "--roles", "reader", "-o", "json");
  assert.equal(added.code, 0, added.error);
  const { password } = JSON.parse(added.out);
  const other = mkdtempSync(join(tmpdir(), "roster-other-"));
  const as = (args: readonly string[], input = "") => {
    const running = startRoster(args, { HOME: other }, input);
    started.push(running);
    return running.ended;
  };
  const url = `127.0.0.1:${server.ports.admin}`;
  const wrong = await as(["login", "--name", "ann", "--url", url], "wrong\n");
  assert.deepEqual([wrong.code, wrong.out], [EXIT.notAllowed, ""]);
  assert.match(wrong.error, /^roster: CREDENTIALS_REFUSED: /);
  const login = await as(["login", "--name", "ann", "--url", url], `${password}\n`);
  assert.deepEqual([login.code, login.error], [0, ""]);
  assert.match(login.out, /^logged in as ann-login-.*the token is in the context default/);
  assert.equal(statSync(join(other, ".config/roster/contexts.json")).mode & 0o777, 0o600);
  assert.match((await as(["whoami"])).out, /name: +ann-login-[\s\S]*may: +read\n/);
  const refused = await as(["config", "set", "a", "b"]);
  assert.equal(refused.code, EXIT.notAllowed);
  assert.match(refused.error, /PERMISSION_NEEDED: .*permission=configure/);
  assert.match((await as(["context", "list"])).out, /\* +default +yes/);
  assert.match((await as(["logout"])).out, /is ended/);
  assert.match((await as(["whoami"])).out, /name: +anonymous/);
  rmSync(other, { recursive: true, force: true });
});

test("identities and policies are listed, changed and removed", async () => {
  const done = async (...args: string[]) => {
    const { code, out, error } = await roster(...args);
    assert.equal(code, 0, error);
    return out;
  };
  assert.match(await done("token", "create", "ci", "--roles", "operator", "--for", "1h"), /token: +roster_/);
  assert.match(await done("get", "identities"), /ci +token +operator +2/);
  assert.match(await done("policy", "check", "ci", "configure"), /is-allowed: +true/);
  await done("policy", "put", "freeze", "--effect", "deny", "--actions", "configure", "--names", "ci");
  assert.match(await done("policy", "check", "ci", "configure"), /is-allowed: +false[\s\S]*freeze/);
  assert.match(await done("get", "policies"), /freeze +deny +configure +names=ci/);
  await done("policy", "remove", "freeze");
  await done("token", "remove", "ci");
  await assertEnds(["token", "remove", "ci"], EXIT.unknown, /^roster: IDENTITY_UNKNOWN: .*identity=ci/);
});
