// One registry for all protocols: clients of every one find what clients of any other register, change, disable and
// take back, with the same address, weight, metadata and state, and see it go when its client is killed. The rows of
// the table are the ways to register (testing/crossProtocol/registrars.ts), the columns the ways to find (finders.ts).

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, type TestContext, test } from "node:test";
import { defined } from "../base/assert.ts";
import type { RunningServer } from "./start.ts";
import type { ClientProcess } from "./testing/crossProtocol/clientProcess.ts";
import { FINDERS, type Finder, type FindingClient } from "./testing/crossProtocol/finders.ts";
import { FOREIGN, FOREIGN_CHANGES } from "./testing/crossProtocol/foreignChanges.ts";
import { REGISTRARS, type Registrar } from "./testing/crossProtocol/registrars.ts";
import { PORT, row, type Wanted } from "./testing/crossProtocol/wanted.ts";
import type { Watched } from "./testing/crossProtocol/watched.ts";
import { eventually } from "./testing/eventually.ts";
import { operate, TestNodes } from "./testing/testNodes.ts";

/** Beyond the time that a protocol gives a client, for a machine that runs other tests beside. */
const LATE_MS = 15_000;
/** The clocks of timers and of `performance.now()` differ by their rounding. */
const ROUNDING_MS = 5;

const CLIENT_PROCESS = join(import.meta.dirname, "testing/crossProtocol/clientProcess.ts");

const nodes = new TestNodes();
const clients: FindingClient[] = [];
let server: RunningServer;

before(async () => {
  server = await nodes.start(["meta", "data", "session"], { dnsUdpAnswersMax: 10 });
  for (const finder of FINDERS) clients.push(await finder.connect(server));
});

after(async () => {
  await Promise.all(clients.map((client) => client.close()));
  await nodes.close();
});

/** What there is of a service: the instances that take calls, and all that are registered. */
interface State {
  readonly calls: readonly Wanted[];
  readonly registered: readonly Wanted[];
}

const calling = (...instances: readonly Wanted[]): State => ({ calls: instances, registered: instances });
const disabled = (...instances: readonly Wanted[]): State => ({ calls: [], registered: instances });

/** One service as the clients of all protocols see it. */
class Views {
  readonly #service: string;
  readonly #columns: { readonly finder: Finder; readonly watched: Watched }[] = [];

  constructor(service: string) {
    this.#service = service;
  }

  async open(): Promise<void> {
    for (const [at, finder] of FINDERS.entries()) {
      const watched = await defined(clients[at], finder.name).watch(this.#service);
      this.#columns.push({ finder, watched });
    }
  }

  /** Every protocol's clients find exactly this. */
  async show(step: string, state: State | ((finder: Finder) => State), limitMs?: number): Promise<void> {
    for (const { finder, watched } of this.#columns) {
      const expected = this.#rows(finder, typeof state === "function" ? state(finder) : state);
      const found = await eventually(
        () => watched.rows,
        (rows) => rows.join() === expected.join(),
        limitMs,
      ).catch((error) => error);
      assert.ok(!(found instanceof Error), `${step}: ${finder.name} should find [${expected.join()}]: ${found}`);
    }
  }

  /** From now on: the lists that will be heard of, by the column. */
  begin(): () => { finder: Finder; lists: Watched["lists"] }[] {
    const from = this.#columns.map(({ watched }) => watched.lists.length);
    return () => this.#columns.map(({ finder, watched }, at) => ({ finder, lists: watched.lists.slice(from[at]) }));
  }

  #rows({ shows }: Finder, { calls, registered }: State): string[] {
    if (shows === "services") return registered.length > 0 ? [this.#service] : [];
    return calls.map(({ host, weight, color }) => row(host, PORT, weight, shows === "addresses" ? "" : color)).sort();
  }
}

/** While an operator's rule hides the service. */
async function whileHidden(service: string, look: () => Promise<void>): Promise<void> {
  const rule = { id: `hide-${service}`, effect: "hidePublications", services: [service] };
  assert.equal((await operate(server, "PUT", "/rule", rule)).status, 200);
  await look();
  assert.equal((await operate(server, "DELETE", `/rule?id=${rule.id}`)).status, 200);
}

/** The row after this one: its client lives on in the same service. */
function neighbour(registrar: Registrar): Registrar {
  return defined(REGISTRARS[(REGISTRARS.indexOf(registrar) + 1) % REGISTRARS.length], "the table has rows");
}

suite("all protocols find", { concurrency: true }, () => {
  for (const [at, registrar] of REGISTRARS.entries()) {
    test(`what a client of ${registrar.name} registers, its changes and its end, beside one that lives on`, (t) =>
      story(t, registrar, at));
  }
  test("that the instances of a killed process are gone, and those of others are there", processStory);
  test("an instance unchanged that a client of another protocol would change", async (t) => {
    const owners = REGISTRARS.filter(({ name }) => ["SOFARegistry", "Eureka", "Consul"].includes(name));
    await Promise.all(owners.map((owner) => foreignStory(t, owner)));
  });
});

async function story(t: TestContext, registrar: Registrar, at: number): Promise<void> {
  const service = `cross-${at}`;
  const views = new Views(service);
  await views.open();
  const first: Wanted = { host: `10.7.0.${at + 1}`, weight: 2, color: "blue", isEnabled: true };
  const connected = async (by: Registrar) => {
    const each = await by.connect(server, service);
    t.after(() => each.kill());
    return each;
  };
  const client = await connected(registrar);
  await client.apply(first);
  await views.show("registered", calling(first));

  const changed = { ...first, weight: 3, color: "green" };
  await client.apply(changed);
  await views.show("changed", calling(changed));

  if (registrar.disables !== undefined) {
    await client.apply({ ...changed, isEnabled: false });
    await views.show("disabled", disabled(changed));
    await client.apply(changed);
    await views.show("enabled", calling(changed));
  }
  await whileHidden(service, () =>
    views.show("hidden", ({ readsOwn }) => (readsOwn === registrar.name ? calling(changed) : calling())),
  );
  await views.show("shown again", calling(changed));

  const other: Wanted = { host: `10.8.0.${at + 1}`, weight: 1, color: "red", isEnabled: true };
  const living = await connected(neighbour(registrar));
  await living.apply(other);
  await views.show("two", calling(changed, other));

  const heard = views.begin();
  const { leavesAfterMs } = registrar;
  if (leavesAfterMs === undefined) {
    // Its neighbour goes instead, so there was time enough.
    client.kill();
    living.kill();
    await views.show("it stays", calling(changed));
    await client.remove(changed);
    return views.show("taken back", calling());
  }
  const heardMs = client.kill();
  await views.show("killed", calling(other), leavesAfterMs + LATE_MS);
  for (const { finder, lists } of heard()) {
    for (const { rows, atMs } of lists) {
      assert.ok(rows.length > 0, `${finder.name} lost the client that lives`);
      const afterMs = Math.round(atMs - heardMs);
      assert.ok(afterMs + ROUNDING_MS >= leavesAfterMs, `${finder.name}: [${rows.join()}] after ${afterMs} ms`);
    }
  }
  const back = await connected(registrar);
  await back.apply(first);
  await views.show("back", calling(first, other));
  await back.remove(first);
  await living.remove(other);
  await views.show("taken back", calling());
}

/** The rows whose clients are known by their connections: for these a process that ends is the real thing. */
const BY_CONNECTION = ["SOFARegistry", "Nacos by gRPC", "ZooKeeper, Spring Cloud"];
const BY_HEARTBEATS = ["Eureka", "Nacos by HTTP", "Consul"];

async function processStory(t: TestContext): Promise<void> {
  const service = "of-processes";
  const views = new Views(service);
  await views.open();
  const instance = (name: string): Wanted => {
    const host = `10.6.0.${REGISTRARS.findIndex((each) => each.name === name) + 1}`;
    return { host, weight: 1, color: "blue", isEnabled: true };
  };
  for (const name of BY_HEARTBEATS) {
    const client = await defined(
      REGISTRARS.find((each) => each.name === name),
      name,
    ).connect(server, service);
    t.after(() => client.kill());
    await client.apply(instance(name));
  }
  const clientsOf = BY_CONNECTION.map((name) => [name, instance(name)] as const);
  const argument: ClientProcess = { ports: server.ports, service, clients: clientsOf };
  const child = spawn(process.execPath, [CLIENT_PROCESS, JSON.stringify(argument)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => child.kill("SIGKILL"));
  await once(child.stdout, "data");
  const living = BY_HEARTBEATS.map(instance);
  await views.show("all", calling(...living, ...BY_CONNECTION.map(instance)));

  const heard = views.begin();
  child.kill("SIGKILL");
  await views.show("killed", calling(...living));
  for (const { finder, lists } of heard()) {
    for (const { rows } of lists) assert.ok(rows.length >= living.length, `${finder.name} lost one that lives`);
  }
}

async function foreignStory(t: TestContext, owner: Registrar): Promise<void> {
  const service = `foreign-${REGISTRARS.indexOf(owner)}`;
  const views = new Views(service);
  await views.open();
  const client = await owner.connect(server, service);
  t.after(() => client.kill());
  await client.apply(FOREIGN);
  await views.show("registered", calling(FOREIGN));

  const heard = views.begin();
  for (const { name, ask } of FOREIGN_CHANGES.filter(({ protocol }) => protocol !== owner.name)) {
    const status = await ask(server, service);
    assert.ok(status === 400 || status === 404, `${name} of an instance of ${owner.name}: ${status}`);
  }
  await client.remove(FOREIGN);
  await views.show("taken back", calling());
  for (const { finder, lists } of heard()) assert.equal(lists.length, 1, `${finder.name} heard of nothing but its end`);
}

test("the guide tells the table as it is", () => {
  const page = readFileSync(join(import.meta.dirname, "../../docs/guide/protocols.md"), "utf8");
  const rows = REGISTRARS.map(({ name, disables = "–", leaves }) => `| ${name} | ${disables} | ${leaves} |`);
  const columns = FINDERS.map(({ name, hears, lacks }) => `| ${name} | ${hears} | ${lacks} |`);
  for (const line of [...rows, ...columns]) assert.ok(page.includes(`\n${line}\n`), `the guide lacks: ${line}`);
});
