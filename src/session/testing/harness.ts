// One session with a data node and clients played by the test; its output is kept in arrays.

import { anonymous } from "../../access/principal.ts";
import { Budget, type BudgetLimits, unlimitedBudget } from "../../base/budget.ts";
import { type Metrics, noMetrics } from "../../base/metrics.ts";
import type { MemberAddress, MemberToMeta } from "../../cluster/messages/membership.ts";
import type { DataToSession, SessionToData } from "../../cluster/messages/sessionData.ts";
import { brandServiceKey, clientId, type NodeId, nodeId } from "../../model/ids.ts";
import type { Publication } from "../../model/publication.ts";
import type { SlotTable } from "../../model/slot.ts";
import type {
  ClientChannel,
  ConfigPush,
  Outcome,
  PublishRequest,
  Push,
  SubscribeRequest,
} from "../../registry/registry.ts";
import { Session } from "../session.ts";

const SELF = nodeId("session-1");
/** The only data node; it leads the only slot. */
export const DATA = nodeId("data-1");
/** The leader epoch under which the data node gives versions. */
export const ORIGIN = 1n;
/** The service of the tests. */
export const ORDERS = brandServiceKey("orders#@#I#@#G");
/** The time at which every test begins. */
export const START_MS = 1_700_000_000_000;
/** The settings unless a test changes them. */
export const OPTIONS = {
  id: SELF,
  address: "10.0.0.2:9620",
  zone: "z1",
  clientReturnGraceMs: 1_000,
  clientRegistrationsMax: 5,
  isDataHere: false,
  serviceBytesMax: 16 * 1024 * 1024,
  digestIntervalMs: 6_000,
  versionScanIntervalMs: 5_000,
  pushTimeoutMs: 2_000,
  pushRetriesMax: 3,
  pushWindowMaxMs: 1_000,
};

/** A client's side that keeps its input. */
export class Channel implements ClientChannel {
  readonly outcomes: Outcome[] = [];
  readonly pushes: Push[] = [];
  readonly configs: ConfigPush[] = [];
  readonly reports: string[] = [];
  isBlocked = false;
  address = "10.0.0.7";
  answersQuestions = true;
  /** The times of the questions whether its client is there, and of the last input from it. */
  readonly questions: number[] = [];
  heardMs = Number.POSITIVE_INFINITY;
  writtenBytes = 0;
  /** Bytes that wait for a client that does not read, or is behind a slow line. */
  unsentBytes = 0;
  /** The size of a push. */
  pushBytes = 100;
  /** The cost of a push of a few addresses. */
  pushCostMs = 0.015;
  ask(nowMs: number): void {
    this.questions.push(nowMs);
  }
  isSilentSince(atMs: number): boolean {
    return this.heardMs < atMs;
  }
  answer(_request: number, outcome: Outcome): void {
    this.outcomes.push(outcome);
  }
  push(push: Push): number | "blocked" {
    if (this.isBlocked) return "blocked";
    this.pushes.push(push);
    this.writtenBytes += this.pushBytes;
    return this.pushCostMs;
  }
  pushConfig(push: ConfigPush): "sent" | "blocked" {
    if (this.isBlocked) return "blocked";
    this.configs.push(push);
    this.writtenBytes += this.pushBytes;
    return "sent";
  }
  report(pushes: "paused" | "resumed"): void {
    this.reports.push(pushes);
  }
  get sentBytes(): number {
    return this.writtenBytes - this.unsentBytes;
  }
  get versions(): bigint[] {
    return this.pushes.map(({ view }) => view.version);
  }
}

/** The gauges that the session has set. */
export const gauges = new Map<string, number>();
const metrics: Metrics = {
  ...noMetrics,
  set: (name: string, ...values: readonly [number, ...unknown[]]) => void gauges.set(name, values[0]),
};

/** The session's messages to the data node. */
export let toData: SessionToData[];
/** The session's messages to the meta role. */
export let toMeta: MemberToMeta[];
/** The data nodes to which the session wants links. */
export let linked: readonly MemberAddress[];
/** The session under test. */
export let session: Session;
/** The present. */
export let nowMs: number;
let clients = 0;
function newSession(changes: Partial<typeof OPTIONS> = {}): Session {
  const output = {
    toData: (_node: string, message: SessionToData) => toData.push(message),
    toMeta: (message: MemberToMeta) => toMeta.push(message),
    linkData: (nodes: readonly MemberAddress[]) => {
      linked = nodes;
    },
    refused: () => undefined,
  };
  const made = new Session({ ...OPTIONS, ...changes }, { output, metrics, nowMs });
  made.step({ kind: "dataUp", node: DATA }, nowMs);
  made.step({ kind: "fromMeta", message: { kind: "slotTable", table: tableOf(DATA, 1n), versionFloor: 0n } }, nowMs);
  made.step({ kind: "fromData", from: DATA, message: { kind: "synced", slots: [0] } }, nowMs);
  toData = [];
  return made;
}

/** A table of one slot. */
export function tableOf(leader: NodeId, epoch: bigint): SlotTable {
  return { epoch, slots: [{ leader, leaderEpoch: epoch, followers: [] }] };
}

/** The budget that the clients of the present test are charged to. */
export let budget: Budget;

/** Replaces the budget, for clients that connect from now on. */
export function useBudget(limits: Partial<BudgetLimits>): void {
  budget = new Budget({ ...unlimitedBudget().limits, ...limits });
}

/** A new session, at the start of time. */
export function reset(): void {
  useBudget({});
  toData = [];
  toMeta = [];
  linked = [];
  nowMs = START_MS;
  clients = 0;
  session = newSession();
}

/** A new client, at its own address and with an id that names no host, unless the test names them. */
export function connect(address = `address-${clients + 1}`, id = clientId(`client-${clients + 1}`)) {
  clients++;
  const channel = new Channel();
  const account = budget.open(address);
  session.step({ kind: "connected", client: id, channel, principal: anonymous(channel.address), account }, nowMs);
  return { id, channel, account };
}
/** A connected client and its channel. */
export type HarnessClient = ReturnType<typeof connect>;

/** Registers a publisher. */
export function publish(client: HarnessClient, changes: Partial<PublishRequest> = {}): void {
  const publication = {
    serviceKey: ORDERS,
    registId: "p1",
    version: 1n,
    zone: "Z",
    appName: "",
    attributes: new Map(),
    payload: new Uint8Array(3),
    ...changes,
  };
  session.step({ kind: "published", client: client.id, request: 1, publication }, nowMs);
}

/** Registers a subscriber. */
export function subscribe(client: HarnessClient, changes: Partial<SubscribeRequest> = {}): void {
  const subscription: SubscribeRequest = {
    serviceKey: ORDERS,
    registId: "s1",
    version: 1n,
    scope: "dataCenter",
    zone: "Z",
    variant: "v",
    ...changes,
  };
  session.step({ kind: "subscribed", client: client.id, request: 1, subscription }, nowMs);
}

/** A message from the data node. */
export const fromData = (message: DataToSession) => session.step({ kind: "fromData", from: DATA, message }, nowMs);
/** The whole list of the service. */
export const snapshot = (version: bigint, publications: Publication[] = []) =>
  fromData({ kind: "snapshot", datum: { serviceKey: ORDERS, version, origin: ORIGIN, publications } });
/** The data node has taken the last batch. */
export const taken = () => {
  const batch = toData.findLast((message) => message.kind === "publish");
  if (batch !== undefined) fromData({ kind: "taken", batch: batch.batch, superseded: [], unlisted: [], isFull: false });
};
/** The client answers its last push. */
export const ackLast = ({ id, channel }: HarnessClient, isTaken = true) =>
  session.step({ kind: "pushAnswered", client: id, push: channel.pushes.at(-1)?.id ?? -1, isTaken }, nowMs);
/** The client's connection is lost. */
export const disconnect = ({ id, account }: HarnessClient) => {
  session.step({ kind: "disconnected", client: id }, nowMs);
  account.close();
};

/** Lets time pass, with every wake-up that the session asks for. */
export function pass(ms: number): void {
  const endMs = nowMs + ms;
  while (session.nextWakeMs() <= endMs) {
    nowMs = Math.max(nowMs, session.nextWakeMs());
    session.step({ kind: "woken" }, nowMs);
  }
  nowMs = endMs;
}

/** All batches sent so far. */
export const batches = () => toData.flatMap((message) => (message.kind === "publish" ? [message.items] : []));
/** All removals sent so far. */
export const removals = () =>
  batches()
    .flat()
    .filter(({ kind }) => kind === "remove");

/** Replaces the session by one with other settings. */
export function useSession(changes: Partial<typeof OPTIONS>): void {
  session = newSession(changes);
}

/** Replaces the session by one that has no data node and no slot table yet. */
export function useBareSession(): void {
  const output = {
    toData: (_node: string, message: SessionToData) => toData.push(message),
    toMeta: () => undefined,
    linkData: () => undefined,
    refused: () => undefined,
  };
  session = new Session(OPTIONS, { output, metrics, nowMs });
  toData = [];
}

/** Forgets the messages sent to the data node so far. */
export function forgetSent(): void {
  toData = [];
}

/** Lets time pass without waking the session: its process was stopped. */
export function stall(ms: number): void {
  nowMs += ms;
  // As its stepper does before the next step.
  const lateMs = nowMs - session.nextWakeMs();
  if (lateMs > 100) session.resumed(lateMs, nowMs);
}
