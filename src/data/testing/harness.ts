// A data node whose sessions, peers and meta nodes are played by the test; its messages are kept in arrays.

import assert from "node:assert/strict";
import { noMetrics } from "../../base/metrics.ts";
import type { Stepper } from "../../base/stepper.ts";
import { testStepper } from "../../base/testing/testStepper.ts";
import type { MemberAddress, Members, MemberToMeta } from "../../cluster/messages/membership.ts";
import type { FollowerToLeader, LeaderToFollower } from "../../cluster/messages/replication.ts";
import type { DataToSession, PublishItem, SessionToData } from "../../cluster/messages/sessionData.ts";
import { type DatumVersion, NO_DATUM_VERSION } from "../../model/datum.ts";
import { brandServiceKey, clientId, type NodeId, nodeId, type ServiceKey } from "../../model/ids.ts";
import type { Publication } from "../../model/publication.ts";
import type { SlotOwner } from "../../model/slot.ts";
import type { Contested } from "../challenges.ts";
import { Data } from "../data.ts";
import type { DataEvent, DataMemory, DataOptions } from "../dataPorts.ts";

/** The node under test, another data node, and the two sessions of the cluster. */
export const SELF = nodeId("data-1.a");
export const PEER = nodeId("data-2.a");
export const SESSION = nodeId("session-1.a");
export const OTHER = nodeId("session-2.a");
/** The service of the tests. */
export const ORDERS = brandServiceKey("orders#@#I#@#G");
/** The time at which every test begins. */
export const START_MS = 1_700_000_000_000;

const OPTIONS: DataOptions = {
  id: SELF,
  address: "10.0.0.1:9620",
  zone: "z1",
  operatorLogEntries: 3,
  payloadDifference: true,
  tombstoneMs: 180_000,
  serviceBytesMax: 16 * 1024 * 1024,
  emptyServicesMax: 100_000,
  dataBytesMax: 1024 * 1024 * 1024,
  sessionLeaseMs: 30_000,
  restartHoldMs: 15_000,
  versionScanIntervalMs: 5_000,
  lossProtectionPercent: 50,
  lossProtectionPublishersMin: 3,
  lossProtectionMaxMs: 600_000,
};

/** A data node and all its messages. */
export class TestData {
  readonly data: Data;
  sent: { to: NodeId; message: DataToSession }[] = [];
  toLeader: { to: NodeId; message: FollowerToLeader }[] = [];
  toFollower: { to: NodeId; message: LeaderToFollower }[] = [];
  toMeta: MemberToMeta[] = [];
  linked: readonly MemberAddress[] = [];
  readonly savedFloors: bigint[] = [];
  readonly refusedVersions: string[] = [];
  readonly behindMs: number[] = [];
  readonly contested: Contested[] = [];
  readonly savedSizes: [ServiceKey, number][] = [];
  /** The operators' view. */
  readonly gauges = new Map<string, number>();
  nowMs = START_MS;
  readonly #stepper: Stepper<DataEvent>;
  #serial = 0;
  #epoch = 0n;

  constructor(memory: Partial<DataMemory> = {}, options: Partial<DataOptions> = {}) {
    const output = {
      toMeta: (message: MemberToMeta) => this.toMeta.push(message),
      toSession: (to: NodeId, message: DataToSession) => this.sent.push({ to, message }),
      toLeader: (to: NodeId, message: FollowerToLeader) => this.toLeader.push({ to, message }),
      toFollower: (to: NodeId, message: LeaderToFollower) => this.toFollower.push({ to, message }),
      linkLeaders: (nodes: readonly MemberAddress[]) => {
        this.linked = nodes;
      },
      versionRefused: ({ what }: { what: string }) => this.refusedVersions.push(what),
      contested: (contested: Contested) => this.contested.push(contested),
      clockBehind: (behindMs: number) => this.behindMs.push(behindMs),
      refused: (reason: string) => assert.fail(reason),
      saveVersionFloor: (floor: bigint) => this.savedFloors.push(floor),
      saveServiceSizes: (sizes: ReadonlyMap<ServiceKey, number>) => this.savedSizes.push(...sizes),
    };
    const held = { versionFloor: 0n, serviceSizes: new Map(), ...memory };
    this.data = new Data({ ...OPTIONS, ...options }, held, {
      output,
      metrics: {
        ...noMetrics,
        set: (name: string, ...values: readonly [number, ...unknown[]]) => void this.gauges.set(name, values[0]),
      },
      random: { next: () => 0.5 },
      nowMs: START_MS,
    });
    this.#stepper = testStepper<DataEvent>(this.data);
  }

  /** A table of one slot. */
  table(owner: Partial<SlotOwner>): void {
    const epoch = ++this.#epoch;
    const table = { epoch, slots: [{ leader: SELF, leaderEpoch: epoch, followers: [], ...owner }] };
    this.step({ kind: "fromMeta", message: { kind: "slotTable", table, versionFloor: 0n } });
  }

  members(...sessions: readonly NodeId[]): void {
    const list: MemberAddress[] = [
      ...sessions.map((id) => ({ id, role: "session" as const, address: `${id}:9620` })),
      ...[SELF, PEER].map((id) => ({ id, role: "data" as const, address: `${id}:9620` })),
    ];
    const members: Members = { epoch: 1n, serial: ++this.#serial, list };
    this.step({ kind: "fromMeta", message: { kind: "members", members } });
  }

  step(event: Parameters<Data["step"]>[0]): void {
    this.#stepper.step(event, this.nowMs);
  }

  /** A session sends a message; returns the messages to all sessions. */
  tell(message: SessionToData, from = SESSION): DataToSession[] {
    this.sent = [];
    this.step({ kind: "fromSession", from, message });
    return this.sent.map(({ message: answer }) => answer);
  }

  publish(...items: readonly PublishItem[]): DataToSession[] {
    return this.tell({ kind: "publish", batch: 1, epoch: this.#epoch, items });
  }

  /** "I publish nothing in slot 0." */
  holdsNothing(session: NodeId): void {
    this.tell({ kind: "digests", epoch: this.#epoch, slots: [{ slot: 0, count: 0, digest: 0n }] }, session);
  }

  fetch(have: DatumVersion = NO_DATUM_VERSION, from = OTHER): DataToSession[] {
    return this.tell({ kind: "fetch", serviceKey: ORDERS, have }, from);
  }

  /** The list as sent to a session that has nothing. */
  list(): { state: DatumVersion; addresses: string[] } {
    const [answer] = this.fetch();
    assert.ok(answer?.kind === "snapshot", `expected a snapshot, got ${answer?.kind}`);
    const { version, origin, publications } = answer.datum;
    return { state: { version, origin }, addresses: addressesOf(publications) };
  }

  /** Lets time pass, with every wake-up that the node asks for. */
  pass(ms: number): void {
    const endMs = this.nowMs + ms;
    while (this.data.nextWakeMs() <= endMs) {
      this.nowMs = Math.max(this.nowMs, this.data.nextWakeMs());
      this.step({ kind: "woken" });
    }
    this.nowMs = endMs;
  }
}

/** A node that leads the only slot and has heard all sessions. */
export function serving(memory: Partial<DataMemory> = {}, options: Partial<DataOptions> = {}): TestData {
  const node = new TestData(memory, options);
  for (const session of [SESSION, OTHER]) node.step({ kind: "sessionUp", session });
  node.members(SESSION, OTHER);
  node.table({});
  for (const session of [SESSION, OTHER]) node.holdsNothing(session);
  node.sent = [];
  return node;
}

/** A publication, of which a test gives only the relevant fields. */
export function publication(changes: Partial<Publication> & { address?: string } = {}): Publication {
  const { address = "10.0.0.1:80", ...rest } = changes;
  return {
    serviceKey: ORDERS,
    registId: "r1",
    version: 1n,
    registeredMs: START_MS,
    owner: { session: SESSION, client: clientId("c1") },
    zone: "Z",
    appName: "",
    attributes: new Map(),
    payload: new TextEncoder().encode(address),
    ...rest,
  };
}

/** The registration of such a publication. */
export const put = (changes: Partial<Publication> & { address?: string } = {}): PublishItem => ({
  kind: "put",
  publication: publication(changes),
});

/** The removal of a registration of the service. */
export const removed = (
  cause: "left" | "unpublished",
  stamp: { version: bigint; registeredMs: number },
  registId = "r1",
  serviceKey = ORDERS,
): PublishItem => ({
  kind: "remove",
  removal: {
    serviceKey,
    registId,
    cause,
    stamp: { version: stamp.version, registeredMs: stamp.registeredMs },
  },
});

/** The contents of these publications, in the order of their text. */
export function addressesOf(publications: readonly Publication[]): string[] {
  return publications.map(({ payload }) => new TextDecoder().decode(payload)).sort();
}

/** The kinds of some messages. */
export const kinds = (messages: readonly { readonly kind: string }[]): string[] => messages.map(({ kind }) => kind);
