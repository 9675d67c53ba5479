// Operations on clients and what belongs to them, in the whole cluster: by address, service and application. Each
// session tells of its own clients, since no other node knows what they subscribe to and have seen.

import { type ClientId, hostOf, nodeNameOf, type ServiceKey } from "../../model/ids.ts";
import type { Registration } from "../../model/publication.ts";
import type { RuleSet } from "../../model/ruleSet.ts";
import { KEY_PART_CHARS_MAX, parseServiceKey } from "../../model/serviceKey.ts";
import type { SurveyKind } from "../../model/survey.ts";
import { NO_VERSION } from "../../model/version.ts";
import { askAddress, askList, askSurvey, type Surveyed, sessionOf } from "../askRegistry.ts";
import { isoTime } from "../isoTime.ts";
import type { OperatedNode } from "../operatedNode.ts";
import { operation } from "../operation.ts";
import type { ParameterTable } from "../parameter.ts";
import {
  flag,
  integer,
  type Json,
  list,
  long,
  maybeText,
  object,
  oneOf,
  orNull,
  type Schema,
  text,
  time,
} from "../schema.ts";

// Each address is a question to all sessions, and for instances to all data nodes.
const ADDRESSES_MAX = 16;

const CONDITIONS = {
  address: {
    type: "list",
    of: { type: "address", about: "" },
    countMax: ADDRESSES_MAX,
    about: "Only clients that come from these addresses.",
  },
  service: { type: "service", about: "Only what is for this service." },
  application: {
    type: "text",
    charsMax: KEY_PART_CHARS_MAX,
    default: "",
    about: "Only what clients register in the name of this application; empty for all.",
  },
  limit: {
    type: "integer",
    min: 1,
    max: 5_000,
    default: 1_000,
    about: "The most entries in the answer.",
  },
} as const satisfies ParameterTable;

interface Conditions {
  readonly address: readonly string[] | undefined;
  readonly service: ServiceKey | undefined;
  readonly application: string;
  readonly limit: number;
}

const WHERE = {
  address: text("The address that the client comes from."),
  client: text("The client's connection: `its address_the session's address`."),
  session: text("The session node that it is connected to."),
};

/** The schema of sessions that did not answer. */
export const UNREACHABLE_SESSIONS = list(
  object({ node: text("The node."), reason: text("Why it did not answer.") }),
  "Sessions that did not answer: their clients are missing.",
);

export function unreachableRows(unanswered: readonly string[]): Json[] {
  const reason = "it has not answered in time, or is of an earlier release";
  return unanswered.map((node) => ({ node, reason }));
}

/** The answer of an operation that all sessions have a part of. */
function answerOf(item: Schema, about: string): Schema {
  return object({
    items: list(item, about),
    isCut: flag("There are more than the answer has."),
    isWhole: flag("False: some nodes have not answered in time, and entries may be missing."),
    unreachable: UNREACHABLE_SESSIONS,
  });
}

type Row<Kind extends SurveyKind> = Surveyed<Kind>["rows"][number];

interface Found<Kind extends SurveyKind> extends Omit<Surveyed<Kind>, "rows"> {
  readonly rows: readonly Row<Kind>[];
}

/** The rows of all sessions that meet the conditions. */
async function found<Kind extends SurveyKind>(
  node: OperatedNode,
  of: Kind,
  { address, service, application, limit }: Conditions,
): Promise<Found<Kind>> {
  const hosts = address === undefined ? [""] : [...new Set(address)];
  const question = { of, serviceKey: service, appName: application, rowsMax: limit };
  const answers = await Promise.all(hosts.map((host) => askSurvey(node, { ...question, host }, "cluster")));
  return {
    rows: answers.flatMap(({ rows }) => rows),
    unanswered: [...new Set(answers.flatMap(({ unanswered }) => unanswered))],
    isWhole: answers.every(({ isWhole }) => isWhole),
    isCut: answers.some(({ isCut }) => isCut),
  };
}

/** The rows as an answer, at most as many as are asked for. */
function answered(
  rows: readonly Json[],
  { unanswered, isWhole, isCut }: Omit<Found<SurveyKind>, "rows">,
  { limit }: Conditions,
): Json {
  return {
    items: rows.slice(0, limit),
    isCut: isCut || rows.length > limit,
    isWhole,
    unreachable: unreachableRows(unanswered),
  };
}

function whereOf(client: ClientId, session: string): { address: string; client: string; session: string } {
  return { address: hostOf(client), client, session };
}

export const listInstances = operation({
  name: "instances.list",
  method: "GET",
  path: "/instances",
  about:
    "Lists what clients publish, in the whole cluster, hidden or not: at an address, for a service or an application.",
  parameters: CONDITIONS,
  command: {
    positional: ["address"],
    columns: ["registId", "service", "application", "address", "session", "registeredAt", "hiddenBy"],
  },
  isChange: false,
  permission: "read",
  canBePreviewed: false,
  answeredBy: { kind: "session" },
  answer: answerOf(
    object({
      service: text("The key of the service."),
      name: text("The name of the service."),
      registId: text("The id that the client gave the registration."),
      application: maybeText("The client's application; null for a client that is not connected any more."),
      zone: maybeText("The client's zone; null for a client that is not connected any more."),
      ...WHERE,
      isConnected: flag("Its client is connected."),
      version: long("The client's own count of changes of the registration."),
      registeredAt: time("When a session accepted it."),
      hiddenBy: list(text("The id of a rule."), "The rules that keep it out of all lists."),
    }),
    "The registrations, in the order of their services.",
  ),
  async run(node, conditions) {
    const { address, application, service, limit } = conditions;
    const [surveyed, listed] = await Promise.all([
      found(node, "publishers", conditions),
      // Those of clients that are gone, as long as they are listed; they name no application.
      Promise.all(
        (application === "" ? (address ?? []) : []).map((each) =>
          askAddress(node, { address: each, entriesMax: limit }),
        ),
      ),
    ]);
    const rules = sessionOf(node).rules();
    const rows = new Map(surveyed.rows.map((row) => [idOf(row), publisherRow(row, rules)]));
    for (const registration of listed.flatMap(({ registrations }) => registrations)) {
      const isWanted = service === undefined || registration.serviceKey === service;
      if (isWanted && !rows.has(idOf(registration))) rows.set(idOf(registration), departedRow(registration, rules));
    }
    const all = [...rows].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, row]) => row);
    const isWhole = surveyed.isWhole && listed.every((answer) => answer.isWhole);
    const isCut = surveyed.isCut || listed.some((answer) => answer.isCut);
    return answered(all, { ...surveyed, isWhole, isCut }, conditions);
  },
});

function idOf({ serviceKey, registId }: Pick<Registration, "serviceKey" | "registId">): string {
  return `${serviceKey}\0${registId}`;
}

function publisherRow({ appName, zone, client, session, ...row }: Row<"publishers">, rules: RuleSet): Json {
  const owner = { application: appName, zone, ...whereOf(client, session), isConnected: true };
  const { serviceKey, registeredMs } = row;
  const subject = { host: hostOf(client), session: nodeNameOf(session), serviceKey, zone, registeredMs };
  return { ...registrationFields(row), ...owner, hiddenBy: rules.matching("hidePublications", subject) };
}

function departedRow({ owner: { client, session }, ...row }: Registration, rules: RuleSet): Json {
  const owner = { application: null, zone: null, ...whereOf(client, session), isConnected: false };
  const { serviceKey, registeredMs } = row;
  const subject = { host: hostOf(client), session: nodeNameOf(session), serviceKey, zone: "", registeredMs };
  return { ...registrationFields(row), ...owner, hiddenBy: rules.matching("hidePublications", subject) };
}

function registrationFields({ serviceKey, registId, version, registeredMs }: Omit<Registration, "owner">) {
  return {
    service: serviceKey,
    name: parseServiceKey(serviceKey).name,
    registId,
    version: String(version),
    registeredAt: isoTime(registeredMs),
  };
}

export const listClients = operation({
  name: "clients.list",
  method: "GET",
  path: "/clients",
  about: "Lists the connected clients, in the whole cluster: at an address, or with a service or an application.",
  parameters: CONDITIONS,
  command: {
    positional: ["address"],
    columns: ["client", "session", "connectedAt", "publishers", "subscribers", "watches", "rules"],
  },
  isChange: false,
  permission: "read",
  canBePreviewed: false,
  answeredBy: { kind: "session" },
  answer: answerOf(
    object({
      ...WHERE,
      principal: maybeText("The identity that it has proved; null for none."),
      connectedAt: time("When it connected."),
      publishers: integer("The number of its publishers, of all services."),
      subscribers: integer("The number of its subscribers."),
      watches: integer("The number of configuration values that it watches."),
      rules: list(
        text("The id of a rule."),
        "The rules that hide what it publishes, or hold pushes to it, whatever the service.",
      ),
    }),
    "The clients, session by session.",
  ),
  async run(node, conditions) {
    const surveyed = await found(node, "clients", conditions);
    const rules = sessionOf(node).rules();
    const rows = surveyed.rows.map(({ client, session, principal, connectedMs, publishers, subscribers, watches }) => {
      const subject = { host: hostOf(client), session: nodeNameOf(session) };
      const effects = ["hidePublications", "holdPushes"] as const;
      return {
        ...whereOf(client, session),
        principal: principal === "" ? null : principal,
        connectedAt: isoTime(connectedMs),
        ...{ publishers, subscribers, watches },
        rules: effects.flatMap((effect) => rules.concerning(effect, subject)),
      };
    });
    return answered(rows, surveyed, conditions);
  },
});

export const listSubscribers = operation({
  name: "subscribers.list",
  method: "GET",
  path: "/subscribers",
  about: "Lists what clients subscribe to and watch, in the whole cluster, and which lists they have.",
  parameters: CONDITIONS,
  command: {
    positional: ["address"],
    columns: ["registId", "kind", "service", "scope", "address", "session", "pushedAt", "isBehind", "heldBy"],
  },
  isChange: false,
  permission: "read",
  canBePreviewed: false,
  answeredBy: { kind: "session" },
  answer: answerOf(
    object({
      kind: oneOf(["service", "configuration"], "Whether it wants a service or watches a configuration value."),
      service: text("The key of the service, or of the value."),
      registId: text("The id that the client gave the subscription."),
      scope: oneOf(["zone", "dataCenter", "global", "none"], "The part of the service that it wants."),
      application: maybeText("The client's application; null for a watch, which names none."),
      zone: maybeText("The client's zone; null for a watch."),
      ...WHERE,
      pushedAt: orNull(time("When the last list was sent to it; null for none, and for a watch.")),
      pushedVersion: long("The version of that list; 0 for none."),
      seenVersion: long("The highest version that the client has confirmed; 0 for none."),
      isBehind: orNull(
        flag("Asked for one service: the client has not confirmed its newest list. Null where that is not known."),
      ),
      heldBy: list(text("The id of a rule."), "The rules that hold the pushes to it."),
    }),
    "The subscriptions, session by session.",
  ),
  async run(node, conditions) {
    const { service } = conditions;
    const [subscribers, watches, version] = await Promise.all([
      found(node, "subscribers", conditions),
      found(node, "watches", conditions),
      service === undefined ? undefined : newestVersion(node, service),
    ]);
    const rules = sessionOf(node).rules();
    const rows = [
      ...subscribers.rows.map((row) => subscriberRow(row, { rules, version })),
      ...watches.rows.map((row) => watchRow(row, rules)),
    ];
    const unanswered = [...new Set([...subscribers.unanswered, ...watches.unanswered])];
    const isWhole = subscribers.isWhole && watches.isWhole;
    return answered(rows, { unanswered, isWhole, isCut: subscribers.isCut || watches.isCut }, conditions);
  },
});

/** The version of the list as it is now; undefined if the data node that leads does not answer. */
async function newestVersion(node: OperatedNode, serviceKey: ServiceKey): Promise<bigint | undefined> {
  const question = { serviceKey, since: NO_VERSION, waitMs: 0 };
  return askList(node, question, ({ version }) => version).catch(() => undefined);
}

interface Known {
  readonly rules: RuleSet;
  /** The newest version of the service that was asked for. */
  readonly version: bigint | undefined;
}

function subscriberRow(row: Row<"subscribers">, { rules, version }: Known): Json {
  const { client, session, serviceKey, registId, scope, appName, zone, pushedMs, pushedVersion, seenVersion } = row;
  return {
    kind: "service",
    service: serviceKey,
    registId,
    scope,
    application: appName,
    zone,
    ...whereOf(client, session),
    pushedAt: pushedMs === 0 ? null : isoTime(pushedMs),
    pushedVersion: String(pushedVersion),
    seenVersion: String(seenVersion),
    isBehind: version === undefined ? null : seenVersion < version,
    heldBy: holdsOf(rules, row, zone),
  };
}

function watchRow(row: Row<"watches">, rules: RuleSet): Json {
  const { client, session, serviceKey, registId, seenVersion } = row;
  return {
    kind: "configuration",
    service: serviceKey,
    registId,
    scope: "none",
    application: null,
    zone: null,
    ...whereOf(client, session),
    pushedAt: null,
    pushedVersion: "0",
    seenVersion: String(seenVersion),
    isBehind: null,
    heldBy: holdsOf(rules, row, ""),
  };
}

function holdsOf(
  rules: RuleSet,
  { client, session, serviceKey }: Pick<Row<"watches">, "client" | "session" | "serviceKey">,
  zone: string,
): string[] {
  const where = { host: hostOf(client), session: nodeNameOf(session), serviceKey, zone };
  return rules.matching("holdPushes", { ...where, registeredMs: Number.POSITIVE_INFINITY });
}
