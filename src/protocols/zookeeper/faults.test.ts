// Clients at three nodes while the store fails, nodes are cut off from it, and connections are lost: what they were
// answered is held against what must be true of it. A failure is its seed.

import assert from "node:assert/strict";
import { test } from "node:test";
import { CODE, OPERATION } from "./codec/operations.ts";
import { dice, type Faults } from "./testing/faultyRecords.ts";
import { createOf, type RawClient, type Reply, type SceneNode, ZooKeeperScene } from "./testing/scene.ts";

const SEEDS = Array.from({ length: 12 }, (_, at) => at + 1);
const CLIENTS = 5;
/** Those of them that write nothing. */
const HOLDERS = 2;
const ROUNDS = 60;
const ROUND_MS = 500;
const TIMEOUT_MS = 6_000;
const COUNTER = "/counter";

/** A change of the counter that was answered with success. */
interface Counted {
  readonly version: number;
  /** The rounds in which it was asked for and answered. */
  readonly fromRound: number;
  readonly toRound: number;
}

class ScriptedClient {
  readonly #world: World;
  raw: RawClient | undefined;
  /** The last version that it read, and whether its watch has fired since. */
  readonly counted: Counted[] = [];
  readonly #asked = new Map<number, { readonly kind: "set" | "read"; readonly round: number }>();
  #taken = 0;
  #heardRound = 0;
  #readVersion = -1;
  #isWatching = false;
  #events = 0;
  #isEphemeral = false;

  constructor(world: World) {
    this.#world = world;
  }

  get readVersion(): number {
    return this.#readVersion;
  }

  /** It was answered so lately that its session can't have ended, whatever others think. */
  get isSure(): boolean {
    const silentMs = (this.#world.round - this.#heardRound) * ROUND_MS;
    return this.raw !== undefined && !this.raw.isClosed && this.#isEphemeral && silentMs < TIMEOUT_MS / 2;
  }

  get session(): bigint {
    return this.raw?.session ?? 0n;
  }

  async act(node: SceneNode, next: number): Promise<void> {
    if (this.raw === undefined || this.raw.isClosed) return this.#connect(node);
    await this.raw.settle();
    this.#take(this.raw);
    if (this.raw.isClosed) return;
    this.raw.send(OPERATION.ping, undefined, -2);
    if (!this.#isEphemeral) this.#createEphemeral(this.raw);
    if (!this.#isWatching) this.#ask("read", this.raw, OPERATION.getData, (to) => to.string(COUNTER).bool(true));
    else if (next < 0.6) {
      const version = this.#readVersion;
      const write = (to: Parameters<ReturnType<typeof createOf>>[0]) =>
        to.string(COUNTER).buffer(undefined).int(version);
      this.#ask("set", this.raw, OPERATION.setData, (to) => void write(to));
    }
    if (next > 0.95) this.raw.drop();
  }

  /** Takes what has come since. */
  async finish(): Promise<void> {
    await this.raw?.settle();
    if (this.raw !== undefined) this.#take(this.raw);
  }

  async #connect(node: SceneNode): Promise<void> {
    const before = this.raw;
    const client = node.dial();
    const own = before === undefined ? {} : { session: before.session, password: before.password };
    const answer = await client.greet({ timeoutMs: TIMEOUT_MS, ...own });
    if (answer === undefined) return;
    const isContinued = before !== undefined && client.session === before.session;
    if (!isContinued) this.#isEphemeral = false;
    this.raw = client.session === 0n ? undefined : client;
    this.#isWatching = false;
    this.#asked.clear();
    this.#taken = 0;
    this.#events = 0;
    this.#heardRound = this.#world.round;
  }

  #createEphemeral(client: RawClient): void {
    client.send(OPERATION.create, createOf(`/e-${client.session}`, "", 1), 1_000_000);
  }

  #ask(
    kind: "set" | "read",
    client: RawClient,
    type: number,
    write: (to: Parameters<ReturnType<typeof createOf>>[0]) => void,
  ) {
    this.#asked.set(client.send(type, write), { kind, round: this.#world.round });
    if (kind === "read") this.#isWatching = true;
  }

  #take(client: RawClient): void {
    const replies = client.replies.slice(this.#taken);
    this.#taken = client.replies.length;
    if (replies.length > 0) this.#heardRound = this.#world.round;
    for (const reply of replies) this.#reply(reply);
    if (client.events.length === this.#events) return;
    this.#events = client.events.length;
    this.#isWatching = false;
  }

  #reply({ xid, code, body }: Reply): void {
    if (xid === 1_000_000 && (code === CODE.ok || code === CODE.nodeExists)) this.#isEphemeral = true;
    const asked = this.#asked.get(xid);
    if (asked === undefined || code !== CODE.ok) return;
    this.#asked.delete(xid);
    if (asked.kind === "read") body.buffer();
    for (let longs = 0; longs < 4; longs++) body.long();
    const version = body.int();
    if (asked.kind === "read") this.#readVersion = version;
    else this.counted.push({ version, fromRound: asked.round, toRound: this.#world.round });
  }
}

class World {
  readonly scene: ZooKeeperScene;
  readonly clients = Array.from({ length: CLIENTS }, () => new ScriptedClient(this));
  round = 0;
  readonly #next: () => number;

  constructor(seed: number, planted?: Faults["planted"]) {
    this.#next = dice(seed);
    this.scene = new ZooKeeperScene({ next: this.#next, unknownPart: 0.1, planted });
  }

  async run(): Promise<void> {
    const nodes = [await this.scene.start(), await this.scene.start(), await this.scene.start()];
    await this.scene.pass(1_000);
    const [first] = nodes;
    assert.ok(first !== undefined);
    const maker = await first.connect();
    for (let tries = 0; tries < 20 && (await this.#made(maker)) === false; tries++) await this.scene.pass(ROUND_MS);
    for (this.round = 1; this.round <= ROUNDS; this.round++) {
      for (const node of nodes) this.#disturb(node);
      for (const [at, client] of this.clients.entries()) {
        const node = nodes[Math.floor(this.#next() * nodes.length)];
        // Some only hold what they have: nothing waits for the store before their pings.
        const next = this.#next();
        if (node !== undefined) await client.act(node, at < HOLDERS ? 0.8 : next);
      }
      await this.scene.pass(ROUND_MS);
      this.#checkEphemerals();
    }
    for (const { self, store } of nodes) {
      store?.return();
      this.scene.members.add(self);
    }
    for (let rounds = 0; rounds < 20; rounds++, this.round++) {
      for (const client of this.clients) await client.act(first, 0.9);
      await this.scene.pass(ROUND_MS);
    }
    for (const client of this.clients) await client.finish();
    this.#checkCounter(first);
    this.#checkWatches(first);
    await this.scene.close();
  }
  async #made(client: RawClient): Promise<boolean> {
    client.send(OPERATION.create, createOf(COUNTER, "", 0));
    await client.settle();
    return this.scene.nodes[0]?.connections.server.tree.node(COUNTER) !== undefined;
  }

  /** A node that is cut off from the store may be no member for the others, or still be one. */
  #disturb({ self, store }: SceneNode): void {
    if (store === undefined) return;
    const { members } = this.scene;
    if (store.isAway && this.#next() < 0.06) {
      store.return();
      members.add(self);
    } else if (!store.isAway && this.#next() < 0.04) {
      store.isAway = true;
      if (this.#next() < 0.6) members.delete(self);
    }
  }

  /** A session that its client can be sure of is there, with its ephemeral znode. */
  #checkEphemerals(): void {
    const keys = new Set<string>();
    const page = this.scene.database.table.range({ from: "gateways/", to: "gateways0" });
    if (page.kind === "page") for (const { key } of page.records) keys.add(key);
    for (const client of this.clients) {
      if (!client.isSure) continue;
      const path = `gateways/zookeeper/tree/node/e-${client.session}`;
      assert.ok(keys.has(path), `the ephemeral znode of session ${client.session} is there in round ${this.round}`);
    }
  }

  /** Each version was given once, and in the order of time. */
  #checkCounter({ connections }: SceneNode): void {
    const all = this.clients.flatMap(({ counted }) => counted).sort((a, b) => a.version - b.version);
    for (const [at, one] of all.entries()) {
      const next = all[at + 1];
      if (next === undefined) continue;
      assert.notEqual(one.version, next.version, "two clients changed the same version");
      assert.ok(one.fromRound <= next.toRound, `version ${next.version} was there before ${one.version} was asked for`);
    }
    const final = connections.server.tree.node(COUNTER)?.znode.version ?? -1;
    assert.ok((all.at(-1)?.version ?? 0) <= final, "no change that was answered is lost");
  }

  /** A client that watches has read the last version, or hears of it. */
  #checkWatches({ connections }: SceneNode): void {
    const final = connections.server.tree.node(COUNTER)?.znode.version ?? -1;
    for (const { readVersion } of this.clients) assert.equal(readVersion, final, "a watch was lost");
  }
}

for (const seed of SEEDS) {
  test(`with faults, writes are in order, no watch is lost and no ephemeral is (seed ${seed})`, () =>
    new World(seed).run());
}

test("a store that ignores conditions is found out", async () => {
  let found = 0;
  for (const seed of SEEDS) {
    await new World(seed, "conditions are ignored").run().catch((error: unknown) => {
      if (!(error instanceof assert.AssertionError)) throw error;
      found++;
    });
  }
  assert.ok(found > SEEDS.length / 2, `found with ${found} of ${SEEDS.length} seeds`);
});
