// `node --expose-gc bench/micro/leases.ts [count]`: the cost of registrations that are kept by heartbeats. A data node
// takes `count` registrations (100,000), each of a client of its own: first those of connected clients, then those with
// a lease; and a session gets a heartbeat for each of the latter every 30 s, with all messages between the two encoded
// and decoded. Memory is what the data node has more after than before, on and off the heap; the share is that of one
// core, in real time, of what half a minute of heartbeats takes.

import { cpus, loadavg } from "node:os";
import { unlimitedBudget } from "../../src/base/budget.ts";
import { noMetrics } from "../../src/base/metrics.ts";
import { textOf } from "../../src/base/text.ts";
import {
  decodeDataToSession,
  decodeSessionToData,
  encodeDataToSession,
  encodeSessionToData,
} from "../../src/cluster/codec/sessionData.ts";
import type { MemberAddress } from "../../src/cluster/messages/membership.ts";
import type { DataToSession, SessionToData } from "../../src/cluster/messages/sessionData.ts";
import { Data } from "../../src/data/data.ts";
import { clientId, nodeId, type ServiceKey } from "../../src/model/ids.ts";
import { packBoxes } from "../../src/model/payload.ts";
import { LEASE_KEEPER, type Publication } from "../../src/model/publication.ts";
import { makeServiceKey } from "../../src/model/serviceKey.ts";
import { SLOT_COUNT } from "../../src/model/slot.ts";
import type { LeaseAnswer } from "../../src/registry/lease.ts";
import { Session } from "../../src/session/session.ts";
import { hostRandom } from "../../src/transport/random.ts";

const COUNT_DEFAULT = 100_000;
const SERVICES = 1_000;
const BATCH = 500;
const START_MS = 1_763_800_000_000;
const BEAT_MS = 30_000;
const TICK_MS = 20;
const RUNS = 5;
const LEASE = { removedAfterMs: 90_000 };
const [SELF, SESSION] = [nodeId("node.1"), nodeId("session.1")];
const NO_ATTRIBUTES = new Map<string, string>();
const KEYS: readonly ServiceKey[] = Array.from({ length: SERVICES }, (_, at) =>
  makeServiceKey({ name: `com.example.trade.facade.OrderQueryFacade${at}`, namespace: "", group: "" }),
);
const TABLE = {
  epoch: 1n,
  slots: Array.from({ length: SLOT_COUNT }, () => ({ leader: SELF, leaderEpoch: 1n, followers: [] })),
};
const MEMBERS: readonly MemberAddress[] = [
  { id: SELF, role: "data", address: "10.0.0.1:1" },
  { id: SESSION, role: "session", address: "10.0.0.2:1" },
];
const nothing = (): undefined => undefined;

function publicationOf(number: number, hasLease: boolean): Publication {
  const host = `10.${(number >> 16) & 0xff}.${(number >> 8) & 0xff}.${number & 0xff}`;
  const client = clientId(`${host}:40123_10.0.0.1:9600`);
  const publication = {
    serviceKey: KEYS[number % SERVICES] as ServiceKey,
    registId: `${host}#8080#DEFAULT`,
    version: 1n,
    registeredMs: START_MS,
    owner: { session: hasLease ? LEASE_KEEPER : SESSION, client },
    zone: "cell-1",
    appName: `app-${number % 100}`,
    attributes: NO_ATTRIBUTES,
    payload: packBoxes([textOf(`${host}:8080?weight=100&version=4.0`.padEnd(150, "-"))]),
  };
  return hasLease ? { ...publication, lease: LEASE } : publication;
}

/** A data node with one session, whose messages are encoded. */
class DataNode {
  readonly data: Data;
  answers: Uint8Array[] = [];

  constructor() {
    this.data = new Data(
      {
        ...{
          id: SELF,
          address: "10.0.0.1:1",
          zone: "cell-1",
          operatorLogEntries: 30,
          payloadDifference: true,
          tombstoneMs: 180_000,
        },
        ...{ serviceBytesMax: 1 << 30, emptyServicesMax: 100_000, dataBytesMax: 1 << 30, sessionLeaseMs: 30_000 },
        ...{ restartHoldMs: 0, versionScanIntervalMs: 5_000, lossProtectionPercent: 50 },
        ...{ lossProtectionPublishersMin: 3, lossProtectionMaxMs: 600_000 },
      },
      { versionFloor: 0n, serviceSizes: new Map() },
      {
        output: {
          toSession: (_, message) => this.answers.push(encodeDataToSession(message)),
          ...{ toMeta: nothing, toLeader: nothing, toFollower: nothing, linkLeaders: nothing, refused: nothing },
          ...{ versionRefused: nothing, contested: nothing, clockBehind: nothing, saveVersionFloor: nothing },
          saveServiceSizes: nothing,
        },
        metrics: noMetrics,
        random: hostRandom,
        nowMs: START_MS,
      },
    );
    this.data.step({ kind: "sessionUp", session: SESSION }, START_MS);
    const members = { epoch: 1n, serial: 1, list: MEMBERS };
    this.data.step({ kind: "fromMeta", message: { kind: "members", members } }, START_MS);
    this.data.step({ kind: "fromMeta", message: { kind: "slotTable", table: TABLE, versionFloor: 0n } }, START_MS);
    const slots = TABLE.slots.map((_, slot) => ({ slot, count: 0, digest: 0n }));
    this.tell(encodeSessionToData({ kind: "digests", epoch: 1n, slots }), START_MS);
  }

  tell(content: Uint8Array, nowMs: number): void {
    const message = decodeSessionToData(content);
    if (message.kind !== "unknown") this.data.step({ kind: "fromSession", from: SESSION, message }, nowMs);
  }

  take(count: number, hasLease: boolean): void {
    for (let at = 0; at < count; at += BATCH) {
      const items = Array.from({ length: Math.min(BATCH, count - at) }, (_, of) => {
        return { kind: "put", publication: publicationOf(at + of, hasLease) } as const;
      });
      this.tell(encodeSessionToData({ kind: "publish", batch: at, epoch: 1n, items }), START_MS);
    }
    this.answers = [];
  }
}

function usedBytes(): number {
  for (let run = 0; run < 3; run++) globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

function memoryOf(count: number, hasLease: boolean): { node: DataNode; bytes: number } {
  const node = new DataNode();
  const before = usedBytes();
  node.take(count, hasLease);
  return { node, bytes: (usedBytes() - before) / count };
}

/** A session that has a link to the node. */
function sessionOf(node: DataNode): { session: Session; talk: (nowMs: number) => void } {
  let sent: Uint8Array[] = [];
  const output = {
    toData: (_: string, message: SessionToData) => void sent.push(encodeSessionToData(message)),
    ...{ toMeta: nothing, linkData: nothing, refused: nothing },
  };
  const session = new Session(
    {
      ...{
        id: SESSION,
        zone: "cell-1",
        address: "10.0.0.2:1",
        clientReturnGraceMs: 1_000,
        clientRegistrationsMax: 1_000_000,
      },
      ...{ isDataHere: false, serviceBytesMax: 1 << 30, digestIntervalMs: 6_000, versionScanIntervalMs: 5_000 },
      ...{ pushTimeoutMs: 2_000, pushRetriesMax: 3, pushWindowMaxMs: 1_000 },
    },
    { output, metrics: noMetrics, nowMs: START_MS },
  );
  const talk = (nowMs: number) => {
    for (const content of sent) node.tell(content, nowMs);
    sent = [];
    for (const content of node.answers) {
      const message = decodeDataToSession(content);
      if (message.kind !== "unknown")
        session.step({ kind: "fromData", from: SELF, message: message as DataToSession }, nowMs);
    }
    node.answers = [];
  };
  session.step({ kind: "dataUp", node: SELF }, START_MS);
  session.step({ kind: "fromMeta", message: { kind: "slotTable", table: TABLE, versionFloor: 0n } }, START_MS);
  talk(START_MS);
  return { session, talk };
}

/** Half a minute of heartbeats; returns the milliseconds of this thread, and the number of answers. */
function beat(node: DataNode, count: number): { ms: number; heard: number }[] {
  const { session, talk } = sessionOf(node);
  const account = unlimitedBudget().open("10.0.0.9");
  const keys = Array.from({ length: count }, (_, number) => {
    const { serviceKey, registId } = publicationOf(number, true);
    return { serviceKey, registId };
  });
  let heard = 0;
  const answer = ({ kind }: LeaseAnswer) => {
    if (kind === "accepted") heard++;
  };
  const runs: { ms: number; heard: number }[] = [];
  let nowMs = START_MS;
  for (let run = 0; run < RUNS; run++) {
    heard = 0;
    const began = process.cpuUsage();
    let next = 0;
    for (const endMs = nowMs + BEAT_MS; nowMs < endMs; ) {
      nowMs += TICK_MS;
      const due = Math.min(count, Math.ceil(((nowMs - (endMs - BEAT_MS)) / BEAT_MS) * count));
      for (; next < due; next++) {
        const key = keys[next] as (typeof keys)[number];
        const asker = { answer };
        session.step({ kind: "leaseRenewed", asker, account, ...key, untilMs: nowMs + 1_000 }, nowMs);
      }
      if (session.nextWakeMs() <= nowMs) session.step({ kind: "woken" }, nowMs);
      talk(nowMs);
      if (node.data.nextWakeMs() <= nowMs) node.data.step({ kind: "woken" }, nowMs);
    }
    const { user, system } = process.cpuUsage(began);
    runs.push({ ms: (user + system) / 1_000, heard });
  }
  return runs;
}

function main(): void {
  const count = Number(process.argv[2] ?? COUNT_DEFAULT);
  console.log(`${cpus()[0]?.model}, load ${loadavg()[0]?.toFixed(1)}, ${count} registrations of as many clients`);
  memoryOf(1_000, true);
  const plain = memoryOf(count, false).bytes;
  const { node, bytes } = memoryOf(count, true);
  console.log(`memory, bytes a registration: ${plain.toFixed(0)} plain, ${bytes.toFixed(0)} with a lease`);
  const runs = beat(node, count);
  for (const { heard } of runs) if (heard < count * 0.99) console.log(`only ${heard} heartbeats were heard`);
  const ms = Math.min(...runs.map((run) => run.ms));
  const each = ((ms * 1_000) / count).toFixed(2);
  console.log(`heartbeats each 30 s: ${each} us each, ${((100 * ms) / BEAT_MS).toFixed(1)} % of one core`);
}

main();
