// The time at which a node that is told to stop may end: the test plays every role, on virtual time.

import assert from "node:assert/strict";
import { test } from "node:test";
import { defined } from "../base/assert.ts";
import type { LogFields } from "../base/ports.ts";
import { TestTime } from "../cluster/links/testing/wires.ts";
import { nodeId } from "../model/ids.ts";
import type { SlotOwner } from "../model/slot.ts";
import { type DrainParts, drain } from "./drain.ts";

const SELF = nodeId("n1.a");
const PEER = nodeId("n2.a");
const TIMEOUT_MS = 30_000;
const STEP_MS = 20;

/** Everything that waits for a promise has continued. */
const settled = () => new Promise<void>((resolve) => void setImmediate(resolve));

/** A node that is told to stop, its fate, and its reports. */
class Stopping {
  readonly time = new TestTime();
  readonly did: string[] = [];
  readonly log: string[] = [];
  clients = 0;
  /** Clients that can't be closed. */
  stubborn = 0;
  isDrained = true;
  slotsKept = 0;
  owners: readonly Partial<SlotOwner>[] = [];
  hasMeta = true;
  sessions = [SELF, PEER];
  spreadMs = 10_000;
  #isOver = false;

  /** Begins with the named roles. */
  async begin(...roles: readonly ("session" | "data" | "meta")[]): Promise<this> {
    void drain(this.#parts(new Set(roles))).then(() => {
      this.#isOver = true;
    });
    await settled();
    return this;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  async pass(ms: number): Promise<this> {
    for (let left = ms; left > 0; left -= STEP_MS) {
      this.time.run(Math.min(STEP_MS, left));
      await settled();
    }
    return this;
  }

  /** The time until the node has ended. */
  async end(): Promise<number> {
    const startMs = this.time.nowMs();
    while (!this.#isOver && this.time.nowMs() - startMs < 100_000) await this.pass(STEP_MS);
    return this.time.nowMs() - startMs;
  }

  #parts(roles: ReadonlySet<string>): DrainParts {
    const self = this;
    const note = (event: string, fields?: LogFields) => void this.log.push(`${event} ${fields?.["role"] ?? ""}`.trim());
    const session = {
      session: {
        get members() {
          const list = self.sessions.map((id) => ({ id, role: "session" as const, address: "" }));
          return { epoch: 1n, serial: 1, list: [...list, { id: PEER, role: "data" as const, address: "" }] };
        },
        get isDrained() {
          return self.isDrained;
        },
      },
      stepper: { step: ({ kind }: { kind: string }) => void this.did.push(kind) },
    };
    const data = {
      data: {
        get slotTable() {
          const owner = { leader: SELF, leaderEpoch: 1n, followers: [] };
          return { epoch: 1n, slots: self.owners.map((changes) => ({ ...owner, ...changes })) };
        },
        get slotsKept() {
          return self.slotsKept;
        },
      },
      stepper: { step: ({ kind }: { kind: string }) => void this.did.push(kind) },
    };
    return {
      config: { drainSpreadMs: this.spreadMs, drainTimeoutMs: TIMEOUT_MS },
      clock: this.time,
      timers: this.time,
      log: { debug: note, info: note, warn: (event, fields) => note(`warn: ${event}`, fields), error: note },
      listeners: roles.has("session")
        ? {
            get connections() {
              return self.clients;
            },
            stopListening: () => void this.did.push("stop listening"),
            endSome: (count) => {
              this.clients = Math.max(this.stubborn, this.clients - Math.max(0, count));
            },
          }
        : undefined,
      roles: {
        id: SELF,
        network: {
          get hasMeta() {
            return self.hasMeta;
          },
        },
        session: roles.has("session") ? session : undefined,
        data: roles.has("data") ? data : undefined,
        meta: roles.has("meta") ? { resign: async () => void this.did.push("resign") } : undefined,
      },
    };
  }
}

const stopping = (changes: Partial<Stopping> = {}): Stopping => Object.assign(new Stopping(), changes);

const withPeer = [{ followers: [PEER] }];

test("a data node stays until it neither leads nor follows anything", async () => {
  const node = await stopping({ owners: withPeer, slotsKept: 2 }).begin("data");
  assert.deepEqual(node.did, ["leave"]);
  await node.pass(5_000);
  node.slotsKept = 1;
  assert.ok(!(await node.pass(5_000)).isOver, "what it follows may be the last copy");
  node.slotsKept = 0;
  assert.ok((await node.pass(STEP_MS)).isOver);
  assert.equal(node.log.at(-1), "a role has handed over its work data");
});

test("a data node that is relieved too slowly ends when its time is over, and says so", async () => {
  const node = await stopping({ owners: withPeer, slotsKept: 100 }).begin("data");
  for (let second = 0; second < TIMEOUT_MS / 1_000; second++) {
    assert.ok(!node.isOver);
    await node.pass(1_000);
    node.slotsKept--;
  }
  assert.ok((await node.pass(STEP_MS)).isOver);
  assert.equal(node.log.at(-1), "warn: a role could not hand over all of its work in time data");
});

test("data nodes that all leave together don't wait for each other: nothing moves for ten seconds", async () => {
  const node = await stopping({ owners: withPeer, slotsKept: 2 }).begin("data");
  await node.pass(3_000);
  node.slotsKept = 1;
  await node.pass(STEP_MS);
  assert.ok(!(await node.pass(9_900)).isOver);
  assert.ok((await node.pass(200)).isOver);
  assert.equal(node.log.at(-1), "warn: a role could not hand over all of its work in time data");
});

test("a data node that is alone has nobody to hand over to, and does not say that it leaves", async () => {
  for (const owners of [[{}], []]) {
    const node = await stopping({ owners, slotsKept: 1 }).begin("data");
    assert.deepEqual([node.isOver, node.did], [true, []]);
  }
  for (const owners of [withPeer, [{}, { leader: PEER, followers: [SELF] }]]) {
    const node = await stopping({ owners, slotsKept: 1 }).begin("data");
    assert.deepEqual([node.isOver, node.did], [false, ["leave"]]);
  }
});

test("a data node waits three seconds for a meta node to come back, counted from when it was last there", async () => {
  const node = await stopping({ owners: withPeer, slotsKept: 1 }).begin("data");
  await node.pass(2_000);
  node.hasMeta = false;
  await node.pass(2_900);
  node.hasMeta = true;
  await node.pass(100);
  node.hasMeta = false;
  assert.ok(!(await node.pass(3_000 - STEP_MS)).isOver);
  assert.ok((await node.pass(3 * STEP_MS)).isOver);
});

test("a session lets nobody in any more, and closes its clients evenly over their time", async () => {
  const node = await stopping({ clients: 500 }).begin("session");
  assert.deepEqual(node.did, ["stop listening", "drain"]);
  assert.equal(node.clients, 500);
  await node.pass(1_000);
  assert.equal(node.clients, 400, "ten milliseconds for each");
  await node.pass(2_000);
  assert.equal(node.clients, 200);
  await node.pass(2_000);
  assert.deepEqual([node.clients, node.isOver], [0, true]);
});

test("many clients are closed faster, within drain-spread-ms", async () => {
  const node = await stopping({ clients: 10_000, spreadMs: 2_000 }).begin("session");
  await node.pass(1_000);
  assert.equal(node.clients, 5_000);
  assert.ok(Math.abs((await node.end()) - 1_000) <= STEP_MS);
});

test("without a time to spread them over all clients are closed at once", async () => {
  const node = await stopping({ clients: 500, spreadMs: 0 }).begin("session");
  assert.deepEqual([node.clients, node.isOver], [0, true]);
});

test("clients that go by themselves are not waited for", async () => {
  const node = await stopping({ clients: 500 }).begin("session");
  node.clients = 0;
  assert.ok((await node.pass(STEP_MS)).isOver);
});

test("a session waits for the end of its clients and for the data nodes, five seconds at most", async () => {
  for (const changes of [{ stubborn: 1, clients: 1 }, { isDrained: false }]) {
    const node = await stopping({ spreadMs: 0, ...changes }).begin("session");
    assert.ok(!(await node.pass(5_000 - STEP_MS)).isOver);
    assert.ok((await node.pass(STEP_MS)).isOver);
    const isDone = changes.isDrained !== false;
    assert.equal(node.log.at(-1)?.startsWith("warn"), !isDone);
  }
});

test("a session with no other to go to keeps its clients: they wait for it to come back", async () => {
  for (const sessions of [[SELF], []]) {
    const node = await stopping({ clients: 3, sessions }).begin("session");
    assert.deepEqual([node.isOver, node.clients, node.did], [true, 3, ["stop listening"]]);
  }
});

test("a meta node lets the lead go when the other roles of its process are done", async () => {
  const node = await stopping({ owners: withPeer, slotsKept: 1 }).begin("data", "meta");
  await node.pass(1_000);
  assert.deepEqual(node.did, ["leave"]);
  node.slotsKept = 0;
  await node.pass(STEP_MS);
  assert.deepEqual([node.did, node.isOver], [["leave", "resign"], true]);
});

test("a store that does not answer is waited for two seconds", async () => {
  const time = new TestTime();
  let isOver = false;
  const quiet = () => undefined;
  void drain({
    config: { drainSpreadMs: 0, drainTimeoutMs: 0 },
    clock: time,
    timers: time,
    log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
    listeners: undefined,
    roles: {
      id: SELF,
      network: { hasMeta: true },
      session: undefined,
      data: undefined,
      meta: { resign: () => new Promise<void>(quiet) },
    },
  }).then(() => {
    isOver = true;
  });
  await settled();
  time.run(1_999);
  await settled();
  assert.ok(!isOver);
  time.run(1);
  await settled();
  assert.ok(isOver);
});

test("the node says that it begins, with its name", async () => {
  const node = await stopping().begin();
  assert.match(defined(node.log[0], "something was said"), /handing over its work/);
  assert.ok(node.isOver);
});
