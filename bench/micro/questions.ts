// `node bench/micro/questions.ts [count]`: what operators' questions take of a node's loop. A data node with `count`
// registrations (1,000,000) in 256 slots is asked which are of one client's host; a session with a fifth as many, ten
// for each client, is asked for surveys. For each question: the steps, the longest of them, the time of all steps, and
// the time to the answer, with the pauses that the role asks for. The shortest of several runs of each step counts: a
// long one that is left belongs to the step and not to the machine's other work.

import { cpus, loadavg } from "node:os";
import { anonymous } from "../../src/access/principal.ts";
import { unlimitedBudget } from "../../src/base/budget.ts";
import { noMetrics } from "../../src/base/metrics.ts";
import { textOf } from "../../src/base/text.ts";
import type { MemberAddress } from "../../src/cluster/messages/membership.ts";
import type { PublishItem } from "../../src/cluster/messages/sessionData.ts";
import { Data } from "../../src/data/data.ts";
import { type ClientId, clientId, nodeId, type ServiceKey } from "../../src/model/ids.ts";
import { packBoxes } from "../../src/model/payload.ts";
import type { Publication } from "../../src/model/publication.ts";
import { makeServiceKey } from "../../src/model/serviceKey.ts";
import { SLOT_COUNT } from "../../src/model/slot.ts";
import type { Survey } from "../../src/model/survey.ts";
import type { ClientChannel } from "../../src/registry/registry.ts";
import { Session } from "../../src/session/session.ts";
import { hostRandom } from "../../src/transport/random.ts";

const COUNT_DEFAULT = 1_000_000;
const SERVICES = 1_000;
const PER_CLIENT = 10;
const SESSION_SHARE = 5;
const BATCH = 500;
const RUNS = 15;
const START_MS = 1_763_800_000_000;
const [SELF, SESSION] = [nodeId("node.1"), nodeId("session.1")];
const NO_ATTRIBUTES = new Map<string, string>();
const PAYLOAD = packBoxes([textOf("10.0.0.1:12200?v=4.0&_SERIALIZETYPE=hessian2&_WEIGHT=100".padEnd(150, "-"))]);
const KEYS: readonly ServiceKey[] = Array.from({ length: SERVICES }, (_, at) =>
  makeServiceKey({ name: `com.example.trade.facade.OrderQueryFacade${at}:1.0:DEFAULT`, namespace: "", group: "" }),
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

/** A role with time of its own. */
interface Role {
  step(event: { readonly kind: "woken" }, nowMs: number): void;
  nextWakeMs(): number;
}

function hostOfClient(client: number): string {
  return `10.${(client >> 16) & 0xff}.${(client >> 8) & 0xff}.${client & 0xff}`;
}

function idOf(client: number): ClientId {
  return clientId(`${hostOfClient(client)}:40123_10.0.0.1:9600`);
}

function publicationOf(number: number): Publication {
  const client = Math.floor(number / PER_CLIENT);
  return {
    serviceKey: KEYS[number % SERVICES] as ServiceKey,
    registId: `${number.toString(16).padStart(8, "0")}-4b0e-4f0c-9a6c-3f62c21bd0cb`,
    version: 1n,
    registeredMs: START_MS,
    owner: { session: SESSION, client: idOf(client) },
    zone: "cell-1",
    appName: `app-${client % 100}`,
    attributes: NO_ATTRIBUTES,
    payload: PAYLOAD,
  };
}

const DATA_OPTIONS = {
  id: SELF,
  address: "10.0.0.1:1",
  zone: "z1",
  operatorLogEntries: 30,
  payloadDifference: true,
  tombstoneMs: 180_000,
  serviceBytesMax: 2 ** 30,
  emptyServicesMax: 100_000,
  dataBytesMax: 2 ** 40,
  sessionLeaseMs: 30_000,
  restartHoldMs: 0,
  versionScanIntervalMs: 5_000,
  lossProtectionPercent: 50,
  lossProtectionPublishersMin: 3,
  lossProtectionMaxMs: 600_000,
};

/** A data node that leads everything and has `count` registrations. */
function dataWith(count: number, answered: () => void): Data {
  const output = {
    ...{ toMeta: nothing, toLeader: nothing, toFollower: nothing, linkLeaders: nothing, versionRefused: nothing },
    ...{ contested: nothing, clockBehind: nothing, refused: nothing, saveVersionFloor: nothing },
    saveServiceSizes: nothing,
    toSession: (_: unknown, message: { readonly kind: string }) => {
      if (message.kind === "addressAnswer") answered();
    },
  };
  const memory = { versionFloor: 0n, serviceSizes: new Map<ServiceKey, number>() };
  const data = new Data(DATA_OPTIONS, memory, { output, metrics: noMetrics, random: hostRandom, nowMs: START_MS });
  const step = (event: Parameters<Data["step"]>[0]) => data.step(event, START_MS);
  step({ kind: "sessionUp", session: SESSION });
  step({ kind: "fromMeta", message: { kind: "members", members: { epoch: 1n, serial: 1, list: MEMBERS } } });
  step({ kind: "fromMeta", message: { kind: "slotTable", table: TABLE, versionFloor: 0n } });
  const digests = TABLE.slots.map((_, slot) => ({ slot, count: 0, digest: 0n }));
  step({ kind: "fromSession", from: SESSION, message: { kind: "digests", epoch: 1n, slots: digests } });
  for (let from = 0; from < count; from += BATCH) {
    const items = Array.from(
      { length: Math.min(BATCH, count - from) },
      (_, at): PublishItem => ({ kind: "put", publication: publicationOf(from + at) }),
    );
    step({ kind: "fromSession", from: SESSION, message: { kind: "publish", batch: from, epoch: 1n, items } });
  }
  return data;
}

const SESSION_OPTIONS = {
  id: SESSION,
  address: "10.0.0.2:1",
  zone: "z1",
  clientReturnGraceMs: 1_000,
  clientRegistrationsMax: 100_000,
  isDataHere: false,
  serviceBytesMax: 2 ** 30,
  digestIntervalMs: 6_000,
  versionScanIntervalMs: 5_000,
  pushTimeoutMs: 2_000,
  pushRetriesMax: 3,
  pushWindowMaxMs: 1_000,
};

const CHANNEL: ClientChannel = {
  ...{ writtenBytes: 0, sentBytes: 0, address: "10.0.0.7", answersQuestions: true },
  ...{ ask: nothing, answer: nothing, report: nothing },
  isSilentSince: () => false,
  push: () => 0,
  pushConfig: () => "sent",
};

/** A session whose clients have `count` registrations, nine publishers and a subscriber each. */
function sessionWith(count: number): Session {
  const output = { toData: nothing, toMeta: nothing, linkData: nothing, refused: nothing };
  const session = new Session(SESSION_OPTIONS, { output, metrics: noMetrics, nowMs: START_MS });
  const step = (event: Parameters<Session["step"]>[0]) => session.step(event, START_MS);
  const budget = unlimitedBudget();
  for (let client = 0; client < count / PER_CLIENT; client++) {
    const id = idOf(client);
    const account = budget.open(hostOfClient(client));
    step({ kind: "connected", client: id, channel: CHANNEL, principal: anonymous(hostOfClient(client)), account });
    for (let at = 1; at < PER_CLIENT; at++) {
      const { owner: _, registeredMs: _ms, ...publication } = publicationOf(client * PER_CLIENT + at);
      step({ kind: "published", client: id, request: at, publication });
    }
    const subscription = { ...publicationOf(client * PER_CLIENT), scope: "dataCenter", variant: "v" } as const;
    step({ kind: "subscribed", client: id, request: 0, subscription });
  }
  return session;
}

interface Figures {
  readonly steps: number;
  readonly longestMs: number;
  readonly allMs: number;
  readonly answerMs: number;
}

/** The clock of both roles: they only ask when it is their turn. */
let nowMs = START_MS;

/** Asks, and wakes the role until it has answered. */
function run(
  role: Role,
  ask: () => void,
  isAnswered: () => boolean,
): { readonly times: number[]; readonly answerMs: number } {
  // Its heartbeat and other work of its own.
  role.step({ kind: "woken" }, nowMs);
  const fromMs = nowMs;
  const times: number[] = [];
  const time = (step: () => void) => {
    const before = performance.now();
    step();
    times.push(performance.now() - before);
  };
  time(ask);
  while (!isAnswered()) {
    nowMs = Math.max(nowMs, role.nextWakeMs());
    time(() => role.step({ kind: "woken" }, nowMs));
  }
  return { times, answerMs: nowMs - fromMs };
}

function measure(once: () => { readonly times: number[]; readonly answerMs: number }): Figures {
  let shortest: number[] = [];
  let answerMs = 0;
  for (let round = 0; round < RUNS; round++) {
    const { times, answerMs: tookMs } = once();
    if (shortest.length === times.length) shortest = shortest.map((ms, at) => Math.min(ms, times[at] ?? ms));
    else if (round === 0) shortest = times;
    answerMs = tookMs;
    nowMs += 1_000;
  }
  const allMs = shortest.reduce((sum, ms) => sum + ms, 0);
  return { steps: shortest.length, longestMs: Math.max(...shortest), allMs, answerMs: answerMs + allMs };
}

function addressFigures(count: number): Figures {
  let slots = 0;
  const data = dataWith(count, () => slots++);
  let question = 0;
  const numbers = TABLE.slots.map((_, slot) => slot);
  return measure(() => {
    slots = 0;
    const message = {
      kind: "addressAsk",
      question: ++question,
      host: hostOfClient(7),
      slots: numbers,
      entriesMax: 100,
    } as const;
    const ask = () => data.step({ kind: "fromSession", from: SESSION, message }, nowMs);
    return run(data, ask, () => [...data.parts.addressAskers].length === 0);
  });
}

function surveyFigures(session: Session, survey: Partial<Survey>): Figures {
  return measure(() => {
    let isAnswered = false;
    const answer = () => {
      isAnswered = true;
    };
    const asker = { answer };
    const whole = { of: "clients", serviceKey: undefined, host: "", appName: "", rowsMax: 100_000, ...survey } as const;
    const event = { kind: "askedSurvey", asker, survey: whole, reach: "session", untilMs: nowMs + 600_000 } as const;
    return run(
      session,
      () => session.step(event, nowMs),
      () => isAnswered,
    );
  });
}

const count = Number(process.argv[2] ?? COUNT_DEFAULT);
const ofSession = Math.floor(count / SESSION_SHARE);
const rows: [string, Figures][] = [[`registrations at a host, of ${count} at a data node`, addressFigures(count)]];
const session = sessionWith(ofSession);
for (const [what, survey] of [
  ["publishers at a host", { of: "publishers", host: hostOfClient(7) }],
  ["subscribers of a service", { of: "subscribers", serviceKey: KEYS[0] }],
  ["clients", { of: "clients" }],
  ["publishers of an application", { of: "publishers", appName: "app-7" }],
  ["counts by service", { of: "services" }],
  ["counts by application", { of: "applications" }],
  ["counts of the session", { of: "sessions" }],
] as const) {
  rows.push([`${what}, of ${ofSession} at a session`, surveyFigures(session, survey)]);
}
console.log(`Node ${process.version}, ${cpus()[0]?.model}, load ${loadavg()[0]?.toFixed(2)}\n`);
console.log("| question | steps | longest step | all steps | answered after |\n| --- | --- | --- | --- | --- |");
for (const [what, { steps, longestMs, allMs, answerMs }] of rows) {
  console.log(
    `| ${what} | ${steps} | ${longestMs.toFixed(2)} ms | ${allMs.toFixed(1)} ms | ${answerMs.toFixed(0)} ms |`,
  );
}
