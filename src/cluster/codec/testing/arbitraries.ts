// Arbitrary messages of every kind. The tables are typed by the kinds, so a new kind does not compile without a row.

import fc from "fast-check";
import type { AppRevision, ServiceApps } from "../../../model/appRevision.ts";
import type { CatalogueEntry } from "../../../model/catalogue.ts";
import type { DatumChange } from "../../../model/datum.ts";
import { brandCatalogueScope, clientId } from "../../../model/ids.ts";
import { RENEWED_HEALTH, type Registration } from "../../../model/publication.ts";
import { RULE_EFFECTS, type Rule, type RuleMatch } from "../../../model/rule.ts";
import { SCOPES } from "../../../model/scope.ts";
import {
  type ClientRow,
  type CountRow,
  type PublisherRow,
  SURVEY_KINDS,
  type SubscriberRow,
  type Survey,
  type SurveyRows,
  type WatchRow,
} from "../../../model/survey.ts";
import type {
  ClientCount,
  Heartbeat,
  MemberAddress,
  MemberRole,
  Members,
  MembersVersion,
  MemberToMeta,
  MetaToMember,
  RulesMessage,
} from "../../messages/membership.ts";
import type { OperationMessage } from "../../messages/operation.ts";
import type { FollowerToLeader, LeaderToFollower, Remover, ReplicaDatum } from "../../messages/replication.ts";
import type {
  DataToSession,
  PublishItem,
  Removal,
  SessionToData,
  Superseded,
  Unlisted,
} from "../../messages/sessionData.ts";
import { anyOf, digest, is, list, long, natural, plain, record, string } from "./fields.ts";
import { node, publication, serviceKey, stamp, version } from "./publications.ts";

const role = fc.constantFrom<MemberRole>("data", "session");
const membersVersion = record<MembersVersion>({ epoch: long, serial: natural });

const registration = record<Registration>({
  serviceKey,
  registId: string,
  version: long,
  registeredMs: fc.double(),
  owner: record({ session: node, client: string.map(clientId) }),
});

const plainRemoval = record<Omit<Removal, "isOfLease">>(
  {
    serviceKey,
    registId: string,
    cause: fc.constantFrom("unpublished", "left"),
    stamp,
    client: string.map(clientId),
  },
  "client",
);
// Only with a client.
const removal = fc
  .tuple(plainRemoval, fc.boolean())
  .map(([one, isOfLease]): Removal => (isOfLease && one.client !== undefined ? { ...one, isOfLease } : one));
const item = anyOf<PublishItem>({
  put: record({ kind: is("put"), publication }),
  remove: record({ kind: is("remove"), removal }),
});
const change = anyOf<DatumChange>({
  put: record({ kind: is("put"), publication }),
  removed: record({ kind: is("removed"), registId: string, stamp }),
});
const superseded = record<Superseded>(
  {
    serviceKey,
    registId: string,
    stamp,
    by: stamp,
    isRemoved: fc.boolean(),
    holder: string.map(clientId),
  },
  "holder",
);

const snapshot = record({ serviceKey, version: long, origin: long, publications: list(publication) });

const scope = string.map(brandCatalogueScope);
const slotDigest = record({ slot: natural, count: natural, digest });
const scanned = fc.tuple(serviceKey, version);
const catalogueEntry = record<CatalogueEntry>(
  { serviceKey, version: long, origin: long, size: natural, unhealthy: natural },
  "unhealthy",
);
const renewal = record(
  { serviceKey, registId: string, ageMs: natural, health: fc.constantFrom(...RENEWED_HEALTH), version: long },
  "health",
  "version",
);
const inventoryEntry = record({ serviceKey, registId: string, version: long, registeredMs: fc.double() });

const anySurvey = { of: fc.constantFrom(...SURVEY_KINDS), host: string, appName: string, rowsMax: natural };
const survey = fc
  .tuple(record<Omit<Survey, "serviceKey">>(anySurvey), fc.option(serviceKey, { nil: undefined }))
  .map(([rest, ofService]): Survey => ({ ...rest, serviceKey: ofService }));
const ofClient = { serviceKey, registId: string, client: string.map(clientId), version: long };
const counts = { publishers: natural, subscribers: natural, watches: natural };
const publisherRow = record<PublisherRow>({ ...ofClient, appName: string, zone: string, registeredMs: fc.double() });
const subscriberRow = record<SubscriberRow>({
  ...ofClient,
  appName: string,
  zone: string,
  scope: fc.constantFrom(...SCOPES),
  registeredMs: fc.double(),
  pushedVersion: long,
  pushedMs: fc.double(),
  seenVersion: long,
});
const watchRow = record<WatchRow>({ ...ofClient, seenVersion: long });
const clientRow = record<ClientRow>({
  client: string.map(clientId),
  principal: string,
  connectedMs: fc.double(),
  ...counts,
});
const countRow = record<CountRow>({ name: string, clients: natural, ...counts });
const surveyRows = fc.oneof<fc.Arbitrary<SurveyRows>[]>(
  record({ of: is("publishers"), rows: list(publisherRow) }),
  record({ of: is("subscribers"), rows: list(subscriberRow) }),
  record({ of: is("watches"), rows: list(watchRow) }),
  record({ of: is("clients"), rows: list(clientRow) }),
  record({ of: fc.constantFrom("services", "applications", "sessions"), rows: list(countRow) }),
);
const surveyPart = { question: natural, rows: surveyRows, isLast: fc.boolean(), isCut: fc.boolean() };

export const sessionToData = anyOf<SessionToData>({
  publish: record({ kind: is("publish"), batch: natural, epoch: long, items: list(item) }),
  fetch: record({ kind: is("fetch"), serviceKey, have: version }),
  reissue: record({ kind: is("reissue"), serviceKey, have: version }),
  release: record({ kind: is("release"), serviceKeys: list(serviceKey) }),
  scan: record({ kind: is("scan"), versions: list(scanned) }),
  digests: record({
    kind: is("digests"),
    epoch: long,
    slots: list(slotDigest),
  }),
  inventory: record({
    kind: is("inventory"),
    epoch: long,
    slot: natural,
    entries: list(inventoryEntry),
    isFirst: fc.boolean(),
    isLast: fc.boolean(),
  }),
  yielded: record({ kind: is("yielded"), registrations: list(inventoryEntry) }),
  recalled: record({ kind: is("recalled"), datum: snapshot }),
  catalogueWatch: record({
    kind: is("catalogueWatch"),
    scope,
    known: list(slotDigest),
    unknown: list(natural),
    ahead: list(scanned),
  }),
  catalogueRelease: record({ kind: is("catalogueRelease"), scopes: list(scope) }),
  addressAsk: record({
    kind: is("addressAsk"),
    question: natural,
    host: string,
    slots: list(natural),
    entriesMax: natural,
  }),
  addressRelease: record({ kind: is("addressRelease"), questions: list(natural) }),
  surveyAsk: record({ kind: is("surveyAsk"), question: natural, survey, except: list(node) }),
  surveyRelease: record({ kind: is("surveyRelease"), questions: list(natural) }),
  surveyPart: record({ kind: is("surveyPart"), asker: node, ...surveyPart }),
  renew: record({ kind: is("renew"), batch: natural, renewals: list(renewal), elsewhere: list(natural) }, "elsewhere"),
});

const slots = list(natural);
const unlisted = record<Unlisted>(
  { serviceKey, registId: string, stamp, listed: stamp, bytes: natural, bytesMax: natural },
  "listed",
);

export const dataToSession = anyOf<DataToSession>({
  taken: record({
    kind: is("taken"),
    batch: natural,
    superseded: list(superseded),
    unlisted: list(unlisted),
    isFull: fc.boolean(),
  }),
  moved: record({ kind: is("moved"), batch: natural, epoch: long }),
  snapshot: record({ kind: is("snapshot"), datum: snapshot }),
  delta: record({
    kind: is("delta"),
    delta: record({ serviceKey, version: long, origin: long, base: version, changes: list(change) }),
  }),
  changed: record({ kind: is("changed"), serviceKey, version }),
  current: record({ kind: is("current"), serviceKey }),
  notReady: record({ kind: is("notReady"), serviceKey }),
  recall: record({ kind: is("recall"), serviceKey }),
  synced: record({ kind: is("synced"), slots }),
  differs: record({ kind: is("differs"), slots }),
  challenged: record({ kind: is("challenged"), registrations: list(inventoryEntry) }),
  catalogue: record({
    kind: is("catalogue"),
    scope,
    slot: natural,
    entries: list(catalogueEntry),
    held: list(serviceKey),
    isFirst: fc.boolean(),
    isLast: fc.boolean(),
  }),
  addressAnswer: record({
    kind: is("addressAnswer"),
    question: natural,
    slots: list(natural),
    held: list(natural),
    entries: list(registration),
    isCut: fc.boolean(),
  }),
  surveySpread: record({ kind: is("surveySpread"), question: natural, sessions: list(node) }),
  surveyAnswer: record({ kind: is("surveyAnswer"), session: node, ...surveyPart }),
  surveyLost: record({ kind: is("surveyLost"), question: natural, session: node }),
  surveyAsked: record({ kind: is("surveyAsked"), asker: node, question: natural, survey }),
  surveyEnded: record({ kind: is("surveyEnded"), asker: node, questions: list(natural) }),
  renewed: record({ kind: is("renewed"), batch: natural, unknown: list(natural), later: list(natural) }),
  catalogueChanged: record({
    kind: is("catalogueChanged"),
    scope,
    base: slotDigest,
    entries: list(catalogueEntry),
  }),
  wanted: record({
    kind: is("wanted"),
    slot: natural,
    keys: list(fc.tuple(serviceKey, string)),
    superseded: list(superseded),
  }),
});

export const followerToLeader = anyOf<FollowerToLeader>({
  follow: record({
    kind: is("follow"),
    slot: natural,
    leaderEpoch: long,
    kept: list(record({ serviceKey, version: long, origin: long, count: natural, digest })),
  }),
});

const remover = record<Remover>({ found: fc.constantFrom("held", "nothing"), host: fc.nat(4_095) });

const replicaDatum = record<ReplicaDatum>(
  {
    serviceKey,
    version: long,
    origin: long,
    publications: list(publication),
    hidden: natural,
    tombstones: list(fc.oneof(fc.tuple(string, stamp), fc.tuple(string, stamp, remover))),
  },
  "hidden",
);

export const leaderToFollower = anyOf<LeaderToFollower>({
  replica: record(
    {
      kind: is("replica"),
      slot: natural,
      leaderEpoch: long,
      datums: list(replicaDatum),
      gone: list(serviceKey),
      isLast: fc.boolean(),
      hold: record({ remainingMs: natural, expected: list(fc.tuple(serviceKey, natural)) }),
    },
    "hold",
  ),
  change: record<Extract<LeaderToFollower, { kind: "change" }>>(
    {
      kind: is("change"),
      slot: natural,
      leaderEpoch: long,
      serviceKey,
      version: long,
      origin: long,
      items: list(item),
      expected: natural,
      hidden: natural,
    },
    "hidden",
  ),
  notLeader: record({ kind: is("notLeader"), slot: natural, leaderEpoch: long }),
});

const clientAddresses = fc
  .uniqueArray(fc.tuple(plain, plain), { minLength: 1, maxLength: 4, selector: ([listener]) => listener })
  .map((pairs) => new Map(pairs));

const heartbeat = record<Heartbeat>(
  {
    kind: is("heartbeat"),
    role,
    address: plain,
    clientAddresses,
    tableEpoch: long,
    members: membersVersion,
    isLeaving: fc.boolean(),
    slots: record({ serving: slots, held: slots, inSync: slots }),
    newestVersion: long,
    clients: natural,
    rulesEpoch: long,
    zone: string,
  },
  "clientAddresses",
  "slots",
  "newestVersion",
  "clients",
  "rulesEpoch",
  "zone",
);

const ruleMatch = record<RuleMatch>(
  {
    addresses: list(string),
    exceptAddresses: list(string),
    services: list(serviceKey),
    servicePrefixes: list(string),
    zones: list(string),
    sessions: list(string),
    registeredBeforeMs: natural,
  },
  "addresses",
  "exceptAddresses",
  "services",
  "servicePrefixes",
  "zones",
  "sessions",
  "registeredBeforeMs",
);

const rule = record<Rule>(
  {
    id: string,
    effect: fc.constantFrom(...RULE_EFFECTS),
    match: ruleMatch,
    settings: fc.array(fc.tuple(string, string), { maxLength: 4 }).map((pairs) => new Map(pairs)),
    isInForce: fc.boolean(),
    setBy: string,
    setMs: natural,
    reason: string,
    untilMs: natural,
    epoch: long,
  },
  "untilMs",
  "settings",
);

const appRevision = record<AppRevision>({
  id: string,
  application: string,
  services: list(string),
  content: fc.uint8Array({ maxLength: 12 }),
});
const serviceApps = record<ServiceApps>({ service: string, version: long, applications: list(string) });

export const memberToMeta = anyOf<MemberToMeta>({
  heartbeat,
  watchConfig: record({ kind: is("watchConfig"), serviceKeys: list(serviceKey) }),
  unwatchConfig: record({ kind: is("unwatchConfig"), serviceKeys: list(serviceKey) }),
  registerRevision: record({ kind: is("registerRevision"), revision: appRevision }),
  findRevisions: record({ kind: is("findRevisions"), ids: list(string) }),
  renewRevisions: record({ kind: is("renewRevisions"), ids: list(string) }),
  watchServiceApps: record({ kind: is("watchServiceApps"), services: list(string) }),
  unwatchServiceApps: record({ kind: is("unwatchServiceApps"), services: list(string) }),
  listApps: record({ kind: is("listApps"), question: natural }),
});

const slotOwner = record({ leader: node, leaderEpoch: long, followers: list(node) });
const memberAddress = record<MemberAddress>(
  { id: node, role, address: plain, clientAddresses, zone: string },
  "clientAddresses",
  "zone",
);

export const metaToMember = anyOf<MetaToMember>({
  slotTable: record({
    kind: is("slotTable"),
    table: record({ epoch: long, slots: list(slotOwner) }),
    versionFloor: long,
  }),
  members: record({
    kind: is("members"),
    members: record<Members>(
      {
        epoch: long,
        serial: natural,
        list: list(memberAddress),
        blocked: fc.array(node, { minLength: 1, maxLength: 4 }),
      },
      "blocked",
    ),
  }),
  config: record({
    kind: is("config"),
    value: record({ serviceKey, version: long, data: fc.oneof(string, is(null)) }),
  }),
  refused: record({ kind: is("refused"), reason: string }),
  revisions: record({ kind: is("revisions"), found: list(appRevision), unknown: list(string) }),
  revisionsStored: record({ kind: is("revisionsStored"), stored: list(string), unknown: list(string) }),
  revisionRefused: record({ kind: is("revisionRefused"), id: string, reason: string }),
  serviceApps: record({ kind: is("serviceApps"), entries: list(serviceApps) }),
  appsListed: record({
    kind: is("appsListed"),
    question: natural,
    revisions: list(string),
    services: list(serviceApps),
    isLast: fc.boolean(),
    isCut: fc.boolean(),
  }),
  clientCounts: record({
    kind: is("clientCounts"),
    counts: list(record<ClientCount>({ session: node, clients: natural })),
  }),
  rules: record<RulesMessage>(
    { kind: is("rules"), epoch: long, base: long, put: list(rule), removed: list(string) },
    "base",
  ),
});

export const operation = anyOf<OperationMessage>({
  operationAsked: record(
    {
      kind: is("operationAsked"),
      request: natural,
      from: node,
      to: node,
      relaysLeft: natural,
      operation: string,
      parameters: string,
      by: string,
    },
    "to",
    "by",
  ),
  operationAnswered: record({
    kind: is("operationAnswered"),
    request: natural,
    to: node,
    status: natural,
    body: string,
  }),
  operationUnreachable: record({ kind: is("operationUnreachable"), request: natural, to: node, reason: string }),
});
