// One message of every kind with all its fields, optional ones too. The tables are typed by the kinds, so a new kind or
// field does not compile before it is here, and does not pass before it has bytes.

import type { AppRevision } from "../../../model/appRevision.ts";
import { brandCatalogueScope, brandServiceKey, clientId, nodeId } from "../../../model/ids.ts";
import type { Condition, Lease, Publication } from "../../../model/publication.ts";
import type { Rule } from "../../../model/rule.ts";
import type { Survey, SurveyKind, SurveyRows } from "../../../model/survey.ts";
import type { Hello, HelloAnswer, HelloChallenge, HelloProof } from "../../messages/hello.ts";
import type { MemberAddress, MemberToMeta, MetaToMember } from "../../messages/membership.ts";
import type { OperationMessage } from "../../messages/operation.ts";
import type { FollowerToLeader, LeaderToFollower, ReplicaDatum } from "../../messages/replication.ts";
import type { DataToSession, PublishItem, SessionToData, Superseded } from "../../messages/sessionData.ts";

type OneOfEachKind<Message extends { kind: string }> = {
  readonly [Kind in Message["kind"]]: Required<Extract<Message, { kind: Kind }>>;
};

const serviceKey = brandServiceKey("orders#@#i#@#g");
const otherServiceKey = brandServiceKey("服务\ud800#@#i#@#g");
const session = nodeId("s1.0a1b2c3d");
const data = nodeId("d1.0a1b2c3d");
const stamp = { version: 3n, registeredMs: 1_700_000_000_000.25 };
const newerStamp = { version: -1n, registeredMs: 0 };
const version = { version: 2n ** 62n, origin: 7n };
const registId = "r-1";

export const PUBLICATION: Required<Omit<Publication, "condition" | "lease">> = {
  ...stamp,
  serviceKey,
  registId,
  owner: { session, client: clientId("10.0.0.1:1_10.0.0.2:2") },
  zone: "z1",
  appName: "é",
  attributes: new Map([["weight", "z1"]]),
  payload: Uint8Array.of(4, 97),
};

const condition: Required<Condition> = { isHealthy: false, isEnabled: true, weight: 0.5 };
const lease: Required<Lease> = { unhealthyAfterMs: 15_000, removedAfterMs: 30_000 };
/** With all that most publications have not. */
const KEPT: Required<Publication> = { ...PUBLICATION, registId: "r-2", condition, lease };

const superseded: Superseded = { serviceKey, registId, stamp, by: newerStamp, isRemoved: true };
const contested: Required<Superseded> = { ...superseded, isRemoved: false, holder: clientId("10.0.0.9:1_10.0.0.2:2") };
const scope = brandCatalogueScope("i#@#g");
const slotDigest = { slot: 255, count: 1, digest: 2n ** 64n - 2n };
const TAKEN_BACK = { serviceKey, registId, cause: "unpublished", stamp } as const;
const items: readonly PublishItem[] = [
  { kind: "put", publication: PUBLICATION },
  { kind: "remove", removal: TAKEN_BACK },
  { kind: "remove", removal: { serviceKey, registId: "r-2", cause: "left", stamp } },
  { kind: "remove", removal: { ...TAKEN_BACK, client: clientId("10.0.0.9:1_10.0.0.2:2") } },
  { kind: "remove", removal: { ...TAKEN_BACK, client: clientId("10.0.0.9:1_10.0.0.2:2"), isOfLease: true } },
];

const survey: Required<Survey> = { of: "subscribers", serviceKey, host: "[::1]", appName: "é", rowsMax: 300 };
const ofClient = { serviceKey, registId, client: PUBLICATION.owner.client, version: 3n };
const since = { appName: "é", zone: "z1", registeredMs: stamp.registeredMs };
const counts = { publishers: 1, subscribers: 300, watches: 2 };
const count = { name: "é", clients: 300, ...counts };

/** The rows of each kind of survey. */
export const SURVEY_ROWS: Readonly<{ [Kind in SurveyKind]: SurveyRows & { readonly of: Kind } }> = {
  publishers: { of: "publishers", rows: [{ ...ofClient, ...since }] },
  subscribers: {
    of: "subscribers",
    rows: [{ ...ofClient, ...since, scope: "global", pushedVersion: 2n ** 62n, pushedMs: 0.5, seenVersion: 1n }],
  },
  watches: { of: "watches", rows: [{ ...ofClient, seenVersion: 5n }] },
  clients: { of: "clients", rows: [{ client: ofClient.client, principal: "é", connectedMs: 0.5, ...counts }] },
  services: { of: "services", rows: [count] },
  applications: { of: "applications", rows: [count] },
  sessions: { of: "sessions", rows: [count] },
};

const tombstones: ReplicaDatum["tombstones"] = [
  [registId, stamp, { found: "nothing", host: 300 }],
  ["r-2", stamp],
];

const sessionMember: Required<MemberAddress> = {
  id: session,
  role: "session",
  address: "[::1]:9621",
  clientAddresses: new Map([
    ["bolt", "[::1]:9600"],
    ["eureka", "[::1]:8761"],
  ]),
  zone: "z1",
};

const SETTINGS_RULE: Rule = {
  id: "setting:push-compress",
  effect: "changeSettings",
  match: { zones: ["z1"] },
  settings: new Map([["push-compress", "false"]]),
  isInForce: false,
  setBy: "",
  setMs: 1,
  reason: "",
  epoch: 1n << 53n,
};

const RULE: Required<Omit<Rule, "settings">> = {
  id: "off-1",
  effect: "hidePublications",
  match: {
    addresses: ["10.0.0.1", "10.1.0.0/16"],
    exceptAddresses: ["[2001:db8::1]"],
    services: [serviceKey],
    servicePrefixes: ["orders"],
    zones: ["z1"],
    sessions: ["s1"],
    registeredBeforeMs: 1_700_000_000_000,
  },
  isInForce: true,
  setBy: "é",
  setMs: 1_700_000_000_000,
  reason: "disk full",
  untilMs: 1_700_000_300_000,
  epoch: 1n << 53n,
};

const HELLO: Required<Hello> = {
  kind: "hello",
  protocolVersion: 1,
  minProtocolVersion: 1,
  clusterName: "shop",
  slotCount: 256,
  from: session,
  roles: ["meta", "data", "session"],
  link: "data",
  address: "10.0.0.2:9620",
  to: data,
  nonce: Uint8Array.from({ length: 32 }, (_, at) => at),
};

const HELLO_CHALLENGE: HelloChallenge = {
  kind: "helloChallenge",
  from: data,
  nonce: Uint8Array.from({ length: 32 }, (_, at) => 255 - at),
};

const HELLO_PROOF: HelloProof = { kind: "helloProof", proof: Uint8Array.from({ length: 32 }, (_, at) => at * 7) };

const HELLO_ANSWER: Required<HelloAnswer> = {
  kind: "helloAnswer",
  accepted: false,
  reason: "set cluster-name to shop",
  from: data,
  roles: ["data"],
  proof: Uint8Array.from({ length: 32 }, (_, at) => at * 5),
};

const revision: AppRevision = {
  id: "e4d909c2",
  application: "shop",
  services: [serviceKey, "com.example.Orders:1.0"],
  content: new Uint8Array([10, 4, 115, 104, 111, 112]),
};

const MEMBER_TO_META: OneOfEachKind<MemberToMeta> = {
  heartbeat: {
    kind: "heartbeat",
    role: "data",
    address: "10.0.0.3:9620",
    clientAddresses: new Map([
      ["bolt", "10.0.0.3:9600"],
      ["eureka", "10.0.0.3:8761"],
    ]),
    tableEpoch: 9n,
    members: { epoch: 4n, serial: 300 },
    isLeaving: true,
    slots: { serving: [0, 255], held: [255], inSync: [128] },
    newestVersion: 1n << 53n,
    clients: 300,
    rulesEpoch: 1n << 54n,
    zone: "z1",
  },
  watchConfig: { kind: "watchConfig", serviceKeys: [serviceKey, otherServiceKey] },
  unwatchConfig: { kind: "unwatchConfig", serviceKeys: [serviceKey] },
  registerRevision: { kind: "registerRevision", revision },
  findRevisions: { kind: "findRevisions", ids: [revision.id, "9e107d9d"] },
  renewRevisions: { kind: "renewRevisions", ids: [revision.id] },
  watchServiceApps: { kind: "watchServiceApps", services: revision.services },
  unwatchServiceApps: { kind: "unwatchServiceApps", services: [serviceKey] },
  listApps: { kind: "listApps", question: 300 },
};

const META_TO_MEMBER: OneOfEachKind<MetaToMember> = {
  slotTable: {
    kind: "slotTable",
    table: {
      epoch: 9n,
      slots: [
        { leader: data, leaderEpoch: 8n, followers: [session] },
        { leader: session, leaderEpoch: 9n, followers: [] },
      ],
    },
    versionFloor: 1n << 53n,
  },
  members: {
    kind: "members",
    members: {
      epoch: 4n,
      serial: 300,
      list: [{ id: data, role: "data", address: "[::1]:9620" }, sessionMember],
      blocked: ["d2"],
    },
  },
  config: { kind: "config", value: { serviceKey, version: 5n, data: null } },
  refused: { kind: "refused", reason: "give this node a data directory of its own" },
  clientCounts: { kind: "clientCounts", counts: [{ session, clients: 300 }] },
  revisions: { kind: "revisions", found: [revision], unknown: ["9e107d9d"] },
  revisionsStored: { kind: "revisionsStored", stored: [revision.id], unknown: ["9e107d9d"] },
  revisionRefused: { kind: "revisionRefused", id: revision.id, reason: "there are 1,000,000 revisions" },
  serviceApps: {
    kind: "serviceApps",
    entries: [{ service: serviceKey, version: 1n << 53n, applications: ["shop", "stock"] }],
  },
  appsListed: {
    kind: "appsListed",
    question: 300,
    revisions: [revision.id],
    services: [{ service: serviceKey, version: 5n, applications: ["shop"] }],
    isLast: true,
    isCut: false,
  },
  rules: { kind: "rules", epoch: 1n << 54n, base: 1n << 53n, put: [RULE, SETTINGS_RULE], removed: ["stop-push"] },
};

const SESSION_TO_DATA: OneOfEachKind<SessionToData> = {
  publish: { kind: "publish", batch: 2 ** 40, epoch: 9n, items },
  fetch: { kind: "fetch", serviceKey, have: version },
  release: { kind: "release", serviceKeys: [serviceKey] },
  scan: { kind: "scan", versions: [[serviceKey, version]] },
  digests: { kind: "digests", epoch: 9n, slots: [slotDigest] },
  inventory: {
    kind: "inventory",
    epoch: 9n,
    slot: 255,
    entries: [{ serviceKey, registId, ...stamp }],
    isFirst: true,
    isLast: false,
  },
  yielded: { kind: "yielded", registrations: [{ serviceKey, registId, ...stamp }] },
  recalled: { kind: "recalled", datum: { serviceKey, ...version, publications: [PUBLICATION] } },
  catalogueWatch: {
    kind: "catalogueWatch",
    scope,
    known: [slotDigest],
    unknown: [0, 300],
    ahead: [[serviceKey, version]],
  },
  catalogueRelease: { kind: "catalogueRelease", scopes: [scope, brandCatalogueScope("")] },
  addressAsk: { kind: "addressAsk", question: 300, host: "[::1]", slots: [0, 300], entriesMax: 5_000 },
  addressRelease: { kind: "addressRelease", questions: [0, 300] },
  reissue: { kind: "reissue", serviceKey, have: version },
  surveyAsk: { kind: "surveyAsk", question: 300, survey, except: [session] },
  surveyRelease: { kind: "surveyRelease", questions: [0, 300] },
  surveyPart: {
    kind: "surveyPart",
    asker: session,
    question: 300,
    rows: SURVEY_ROWS.subscribers,
    isLast: true,
    isCut: false,
  },
  renew: {
    kind: "renew",
    batch: 300,
    renewals: [
      { serviceKey, registId, ageMs: 0 },
      { serviceKey: otherServiceKey, registId: "r-2", ageMs: 300 },
      { serviceKey, registId: "r-3", ageMs: 1, health: "unhealthy", version: 7n },
    ],
    elsewhere: [3, 300],
  },
};

const DATA_TO_SESSION: OneOfEachKind<DataToSession> = {
  taken: {
    kind: "taken",
    batch: 1,
    superseded: [superseded, contested],
    unlisted: [{ serviceKey, registId, stamp, listed: stamp, bytes: 300, bytesMax: 2 ** 24 }],
    isFull: true,
  },
  moved: { kind: "moved", batch: 1, epoch: 9n },
  snapshot: { kind: "snapshot", datum: { serviceKey, ...version, publications: [PUBLICATION, KEPT] } },
  delta: {
    kind: "delta",
    delta: {
      serviceKey,
      ...version,
      base: { version: 1n, origin: 2n },
      changes: [
        { kind: "put", publication: PUBLICATION },
        { kind: "removed", registId, stamp },
      ],
    },
  },
  changed: { kind: "changed", serviceKey, version },
  current: { kind: "current", serviceKey },
  notReady: { kind: "notReady", serviceKey },
  recall: { kind: "recall", serviceKey },
  synced: { kind: "synced", slots: [0, 255] },
  differs: { kind: "differs", slots: [1] },
  wanted: { kind: "wanted", slot: 255, keys: [[serviceKey, registId]], superseded: [superseded] },
  challenged: { kind: "challenged", registrations: [{ serviceKey, registId, ...stamp }] },
  catalogue: {
    kind: "catalogue",
    scope,
    slot: 255,
    entries: [
      { serviceKey, ...version, size: 300 },
      { serviceKey, ...version, size: 300, unhealthy: 2 },
    ],
    held: [otherServiceKey],
    isFirst: true,
    isLast: false,
  },
  catalogueChanged: {
    kind: "catalogueChanged",
    scope,
    base: slotDigest,
    entries: [{ serviceKey, ...version, size: 0 }],
  },
  addressAnswer: {
    kind: "addressAnswer",
    question: 300,
    slots: [0, 255],
    held: [255],
    entries: [{ serviceKey, registId, ...stamp, owner: PUBLICATION.owner }],
    isCut: true,
  },
  surveySpread: { kind: "surveySpread", question: 300, sessions: [session] },
  surveyAnswer: { kind: "surveyAnswer", session, question: 300, rows: SURVEY_ROWS.clients, isLast: false, isCut: true },
  surveyLost: { kind: "surveyLost", question: 300, session },
  surveyAsked: { kind: "surveyAsked", asker: session, question: 300, survey },
  surveyEnded: { kind: "surveyEnded", asker: session, questions: [0, 300] },
  renewed: { kind: "renewed", batch: 300, unknown: [1], later: [0, 300] },
};

const FOLLOWER_TO_LEADER: OneOfEachKind<FollowerToLeader> = {
  follow: {
    kind: "follow",
    slot: 255,
    leaderEpoch: 8n,
    kept: [{ serviceKey, ...version, count: 1, digest: 2n ** 64n - 2n }],
  },
};

const LEADER_TO_FOLLOWER: OneOfEachKind<LeaderToFollower> = {
  replica: {
    kind: "replica",
    slot: 255,
    leaderEpoch: 8n,
    datums: [{ serviceKey, ...version, publications: [PUBLICATION], tombstones, hidden: 2 ** 32 + 1 }],
    gone: [otherServiceKey],
    isLast: true,
    hold: { remainingMs: 300, expected: [[otherServiceKey, 2]] },
  },
  change: { kind: "change", slot: 255, leaderEpoch: 8n, serviceKey, ...version, items, expected: 3, hidden: 2 ** 33 },
  notLeader: { kind: "notLeader", slot: 255, leaderEpoch: 8n },
};

const OPERATION: OneOfEachKind<OperationMessage> = {
  operationAsked: {
    kind: "operationAsked",
    request: 300,
    from: session,
    to: data,
    relaysLeft: 2,
    operation: "services.list",
    parameters: '{"pattern":"é*"}',
    by: '{"name":"é"}',
  },
  operationAnswered: { kind: "operationAnswered", request: 300, to: session, status: 200, body: "{}" },
  operationUnreachable: { kind: "operationUnreachable", request: 300, to: session, reason: "no link" },
};

/** Class, kind, message. */
export const GOLDEN_MESSAGES = {
  "roster.Hello": { hello: HELLO },
  "roster.HelloAnswer": { helloAnswer: HELLO_ANSWER },
  "roster.HelloChallenge": { helloChallenge: HELLO_CHALLENGE },
  "roster.HelloProof": { helloProof: HELLO_PROOF },
  "roster.MemberToMeta": MEMBER_TO_META,
  "roster.MetaToMember": META_TO_MEMBER,
  "roster.SessionToData": SESSION_TO_DATA,
  "roster.DataToSession": DATA_TO_SESSION,
  "roster.FollowerToLeader": FOLLOWER_TO_LEADER,
  "roster.LeaderToFollower": LEADER_TO_FOLLOWER,
  "roster.Operation": OPERATION,
} as const;
