// Some keepers on one store, with a leader that keeps leases and a network that answers probes: all in one place, on
// virtual time.

import { defined } from "../../base/assert.ts";
import { Budget } from "../../base/budget.ts";
import { fail, type RegistryError } from "../../base/errors.ts";
import { noMetrics } from "../../base/metrics.ts";
import type { Probe, ProbeOutcome } from "../../base/probes.ts";
import { type Check, checkOf } from "../../model/check.ts";
import { clientId, type NodeId, nodeId } from "../../model/ids.ts";
import type { Instance } from "../../model/instance.ts";
import { makeServiceKey } from "../../model/serviceKey.ts";
import { keysWith } from "../../records/keys.ts";
import type { CommitOutcome } from "../../records/records.ts";
import { RecordTable } from "../../records/recordTable.ts";
import type { LeaseAnswer } from "../../registry/lease.ts";
import type { PersistentAnswer, PersistentRegistration } from "../../registry/persistent.ts";
import { Keeper } from "../keeper.ts";
import type { KeeperEvent, KeeperLease, KeeperOutput, KeeperTimes, PassedAnswer } from "../keeperPorts.ts";
import { KEEPER_TIMES } from "../keeperPorts.ts";
import { PERSISTENT_PREFIX } from "../recordForm.ts";

/** A registration as the leader has it. */
export interface Leased {
  readonly version: bigint;
  isHealthy: boolean;
  by: string;
}

const STEP_MS = 10;
/** The most that the keepers take. */
export const REGISTRATIONS_MAX = 100;

export class Scene {
  nowMs = 1_000_000;
  readonly table = new RecordTable();
  readonly nodes = new Map<string, SceneNode>();
  /** The registrations at the leader, by their ids. */
  readonly leases = new Map<string, Leased>();
  readonly #tombstones = new Map<string, bigint>();
  /** Everything that the leader was asked, as `s1 renew a`. */
  readonly asked: string[] = [];
  /** The probes that were made, as `s1 10.0.0.1:80`. */
  readonly probed: string[] = [];
  /** The outcomes of probes, by host and port; those of others pass. */
  readonly outcomes = new Map<string, ProbeOutcome["result"]>();
  isStoreAway = false;
  readonly #times: Partial<KeeperTimes>;

  constructor(names: readonly string[], times: Partial<KeeperTimes> = {}) {
    this.#times = times;
    for (const name of names) this.start(name);
    this.tellMembers();
    this.run(5_000);
  }

  start(name: string): SceneNode {
    const node = new SceneNode(this, name, { ...KEEPER_TIMES, ...this.#times });
    this.nodes.set(name, node);
    return node;
  }

  /** Ends a node, of which the others hear. */
  kill(name: string): void {
    this.nodes.delete(name);
    this.tellMembers();
  }

  tellMembers(): void {
    const sessions = [...this.nodes.values()].map(({ id }) => id);
    for (const node of this.nodes.values()) if (!node.isCut) node.step({ kind: "members", sessions });
  }

  /** Lets time pass. */
  run(durationMs: number): void {
    const endMs = this.nowMs + durationMs;
    while (this.nowMs < endMs) {
      this.nowMs += STEP_MS;
      for (const node of this.nodes.values()) node.turn();
    }
  }

  node(name: string): SceneNode {
    const node = this.nodes.get(name);
    return defined(node, `there is ${name}`);
  }

  /** The node that keeps the registration by what the first one knows. */
  keeper(registId: string): string {
    const [first] = this.nodes.values();
    const keeper = first?.keeper.find(keyOf(registId))?.keeper;
    return keeper?.split(".")[0] ?? "";
  }

  lease(by: string, lease: KeeperLease): LeaseAnswer {
    const registId = lease.kind === "leased" ? lease.publication.registId : registIdIn(lease);
    this.asked.push(`${by} ${lease.kind} ${registId}`);
    const held = this.leases.get(registId);
    if (lease.kind === "leaseRenewed") {
      if (held === undefined || held.version < (lease.version ?? 0n)) return { kind: "unknown" };
      held.by = by;
      if (lease.health !== "asBefore") held.isHealthy = lease.health !== "unhealthy";
      return { kind: "accepted", isHeard: true };
    }
    const version = lease.kind === "leased" ? lease.publication.version : lease.key.version;
    if (version < (held?.version ?? this.#tombstones.get(registId) ?? 0n)) return { kind: "accepted", isHeard: true };
    if (lease.kind === "leased") this.leases.set(registId, { version, isHealthy: lease.isHealthy !== false, by });
    else {
      this.leases.delete(registId);
      this.#tombstones.set(registId, version);
    }
    return { kind: "accepted", isHeard: true };
  }

  /** The leader has forgotten everything, as when a data tier has restarted. */
  forget(): void {
    this.leases.clear();
    this.#tombstones.clear();
  }
}

export class SceneNode {
  readonly id: NodeId;
  readonly keeper: Keeper;
  readonly name: string;
  readonly #scene: Scene;
  readonly #budget = new Budget({ bytesMax: 2 ** 30, clientBytesMax: 2 ** 30, workPerSecondMax: 100_000 });
  readonly #due: { readonly atMs: number; readonly run: () => void }[] = [];
  #revision = 0n;
  #isRead = false;
  /** It reaches neither the store nor the members. */
  isCut = false;
  /** It has asked the store whether its copy is true. */
  isConfirmed = true;

  constructor(scene: Scene, name: string, times: KeeperTimes) {
    this.#scene = scene;
    this.name = name;
    this.id = nodeId(`${name}.${scene.nowMs}`);
    let seed = name.length;
    const next = () => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    this.keeper = new Keeper(
      { id: this.id, registrationsMax: REGISTRATIONS_MAX, times },
      { output: this.#output(), random: { next }, metrics: noMetrics },
    );
  }

  step(event: KeeperEvent): void {
    this.keeper.step(event, this.#scene.nowMs);
  }

  put(registration: PersistentRegistration, ifRevision?: bigint): Asked {
    const condition = ifRevision === undefined ? {} : { ifRevision };
    return this.#ask((request) => this.step({ kind: "put", request: { ...request, registration, ...condition } }));
  }

  remove(registId: string): Asked {
    return this.#ask((request) => this.step({ kind: "remove", request: { ...request, key: keyOf(registId) } }));
  }

  report(registId: string, check: string, status: "passing" | "warning" | "critical", output = ""): Asked {
    const result = { status, output };
    return this.#ask((request) =>
      this.step({ kind: "report", request: { ...request, key: keyOf(registId), check, result } }),
    );
  }

  /** Lets everything happen that is due. */
  turn(): void {
    this.#follow();
    const { nowMs } = this.#scene;
    for (const due of this.#due.filter(({ atMs }) => atMs <= nowMs)) {
      this.#due.splice(this.#due.indexOf(due), 1);
      due.run();
    }
    if (this.keeper.nextWakeMs() <= nowMs) this.step({ kind: "woken" });
  }

  #ask(begin: (request: { done: (answer: PersistentAnswer) => void; account: never; untilMs: number }) => void): Asked {
    const asked: Asked = { answer: undefined };
    const account = this.#budget.open("10.9.9.9") as never;
    const done = (answer: PersistentAnswer) => {
      asked.answer = answer;
    };
    begin({ done, account, untilMs: this.#scene.nowMs + 3_000 });
    return asked;
  }

  #follow(): void {
    const { table, isStoreAway, nowMs } = this.#scene;
    if (isStoreAway || this.isCut) return;
    if (!this.#isRead) {
      const page = table.range(keysWith(PERSISTENT_PREFIX));
      if (page.kind !== "page") return;
      this.#isRead = true;
      this.#revision = page.revision;
      const changes = page.records.map(({ key, revision, value }) => ({ key, revision, value }));
      this.step({ kind: "changed", changes, revision: page.revision });
    } else if (table.revision > this.#revision) {
      const page = table.changes(keysWith(PERSISTENT_PREFIX), this.#revision);
      if (page.kind !== "changes") return;
      this.#revision = page.revision;
      const changes = page.changes.map((change) =>
        change.kind === "put" ? change.record : { key: change.key, revision: change.revision, value: undefined },
      );
      this.step({ kind: "changed", changes, revision: page.revision });
    }
    if (this.isConfirmed) this.step({ kind: "confirmed", atMs: nowMs });
  }

  #output(): KeeperOutput {
    const scene = this.#scene;
    const later = (take: (nowMs: number) => void, afterMs = STEP_MS) => {
      const due = { atMs: scene.nowMs + afterMs, run: () => this.step({ kind: "answered", take }) };
      this.#due.push(due);
      return () => void (this.#due.includes(due) && this.#due.splice(this.#due.indexOf(due), 1));
    };
    return {
      lease: (lease, _, done) => {
        const answer = scene.lease(this.name, lease);
        later((nowMs) => done(answer, nowMs));
      },
      commit: (commit, done) => {
        const isAway = scene.isStoreAway || this.isCut;
        const outcome: CommitOutcome | RegistryError = isAway
          ? fail("STORE_UNAVAILABLE", {})
          : scene.table.commit(commit, () => true);
        later((nowMs) => done(outcome, nowMs));
      },
      probe: (probe, _, done) => {
        const address = addressOf(probe);
        scene.probed.push(`${this.name} ${address}`);
        return later((nowMs) => done({ result: scene.outcomes.get(address) ?? "passing", output: address }, nowMs), 50);
      },
      pass: (session, report, done) => {
        const to = [...scene.nodes.values()].find(({ id }) => id === session);
        let answer: PassedAnswer = "unreachable";
        to?.step({ kind: "passed", report, done: (given) => (answer = given) });
        later((nowMs) => done(answer, nowMs));
      },
    };
  }
}

/** A request, with its answer once it has come. */
export interface Asked {
  answer: PersistentAnswer | undefined;
}

export function addressOf({ host, port }: Probe): string {
  return `${host}:${port}`;
}

const serviceKey = makeServiceKey({ name: "orders", namespace: "", group: "" });

export function keyOf(registId: string) {
  return { serviceKey, registId };
}

/** A check of a TCP port. */
export function tcpCheck(host: string, given: Partial<Check> = {}): Check {
  return checkOf({ id: "tcp", probe: { kind: "tcp", host, port: 80 }, intervalMs: 2_000, timeoutMs: 500, ...given });
}

/** A registration of an instance at 10.0.0.1. */
export function registration(
  registId: string,
  checks: readonly Check[] = [],
  given: Partial<Instance> = {},
): PersistentRegistration {
  const instance: Instance = {
    host: "10.0.0.1",
    port: 80,
    securePort: undefined,
    weight: 1,
    isEnabled: true,
    isHealthy: true,
    isPersistent: true,
    zone: "",
    metadata: new Map(),
    source: "nacos",
    bags: new Map(),
    ...given,
  };
  return {
    ...keyOf(registId),
    holder: clientId(`${instance.host}:80_nacos`),
    zone: "Z1",
    appName: "",
    instance,
    checks,
  };
}

function registIdIn(lease: Exclude<KeeperLease, { kind: "leased" }>): string {
  return lease.kind === "leaseEnded" ? lease.key.registId : lease.registId;
}
