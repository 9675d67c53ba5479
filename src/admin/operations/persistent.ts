// Registrations that stay until they are taken back, with their checks: as protocols put them, and as operators do.

import { fail } from "../../base/errors.ts";
import type { Probe } from "../../base/probes.ts";
import { CHECK_STATUSES, type Check, type CheckState, checkOf } from "../../model/check.ts";
import { clientId, nodeNameOf } from "../../model/ids.ts";
import { KEY_PART_CHARS_MAX } from "../../model/serviceKey.ts";
import type {
  KeptRegistration,
  PersistentAnswer,
  PersistentKey,
  PersistentRegistration,
  RemoveRequest,
} from "../../registry/persistent.ts";
import { isoTime } from "../isoTime.ts";
import type { OperatedNode, OperatedSession } from "../operatedNode.ts";
import { operation } from "../operation.ts";
import type { ParameterTable } from "../parameter.ts";
import { flag, type Json, list, long, maybeText, object, oneOf, text, time } from "../schema.ts";
import { DONE } from "./nodes.ts";

/** The protocol of instances that operators put. */
const SOURCE = "operator";
// The store answers in milliseconds, and a meta node may be between.
const ANSWER_MS = 4_000;
const ROWS_MAX = 5_000;

function sessionOf({ session }: OperatedNode): OperatedSession {
  if (session === undefined) throw fail("ROLE_NEEDED", { role: "session" });
  return session;
}

const KEY_FIELDS = {
  service: text("The key of the service."),
  registId: text("The id of the registration in it."),
};

const CHECK = object({
  id: text("The id of the check."),
  kind: text("tcp, http, grpc or udp for a probe; ttl or told for reports."),
  target: text("The address that is probed, or the time in which a report must come."),
  status: oneOf(CHECK_STATUSES, "Its status."),
  since: time("When it got this status."),
  output: text("The text of its last outcome."),
});

const ROW = object({
  ...KEY_FIELDS,
  address: text("The address of the instance: `host:port`."),
  weight: text("Its weight."),
  isEnabled: flag("Whether it wants calls."),
  isHealthy: flag("Whether its checks let it be called."),
  source: text("The protocol that registered it."),
  keeper: maybeText("The session that keeps it and makes its checks; null while there is none."),
  revision: long("Of its record; for `ifRevision`."),
  checks: list(CHECK, "Its checks, with their last outcomes."),
});

function rowOf({ registration, revision, keeper, checks, isHealthy }: KeptRegistration): Record<string, Json> {
  const { serviceKey, registId, instance } = registration;
  const { host, port, weight, isEnabled, source } = instance;
  return {
    service: serviceKey,
    registId,
    address: `${host.includes(":") ? `[${host}]` : host}:${port}`,
    weight: String(weight),
    ...{ isEnabled, isHealthy, source },
    keeper: keeper === undefined ? null : nodeNameOf(keeper),
    revision: String(revision),
    checks: checks.map(checkRow),
  };
}

function checkRow({ check, status, output, sinceMs }: CheckState): Json {
  const { id, probe, ttlMs } = check;
  const kind = probe?.kind ?? (ttlMs === undefined ? "told" : "ttl");
  return { id, kind, target: targetOf(probe, ttlMs), status, since: isoTime(sinceMs), output };
}

function targetOf(probe: Probe | undefined, ttlMs: number | undefined): string {
  if (probe === undefined) return ttlMs === undefined ? "" : `${ttlMs} ms`;
  const address = `${probe.host}:${probe.port}`;
  return probe.kind === "http" ? `${probe.isTls ? "https" : "http"}://${address}${probe.path}` : address;
}

interface Rows {
  readonly items: readonly Record<string, Json>[];
  readonly isCut: boolean;
}

export const listPersistent = operation({
  name: "persistent.list",
  method: "GET",
  path: "/persistent",
  about: "Lists the registrations that stay until they are taken back, with their checks and who makes them.",
  parameters: {
    service: { type: "service", about: "The service; without it all services." },
    limit: { type: "integer", min: 1, max: ROWS_MAX, default: 1_000, about: "The most entries in the answer." },
  },
  command: {
    words: ["get persistent", "persistent list"],
    positional: ["service"],
    columns: ["registId", "service", "address", "isHealthy", "keeper", "source", "revision"],
  },
  isChange: false,
  permission: "read",
  canBePreviewed: false,
  answeredBy: { kind: "each", role: "session" },
  answer: object({
    items: list(ROW, "The registrations, in the order of their services."),
    isCut: flag("There are more than the answer has."),
    unreachable: list(
      object({ node: text("The node."), reason: text("Why it did not answer.") }),
      "Sessions that did not answer: what they keep is missing.",
    ),
  }),
  run(node, { service, limit }) {
    const items: Record<string, Json>[] = [];
    // The keeper knows the newest outcomes. One without a keeper is told by all.
    for (const kept of sessionOf(node).persistent.list(service)) {
      if (kept.keeper === node.id || kept.keeper === undefined) items.push(rowOf(kept));
      if (items.length > limit) break;
    }
    return { items: items.slice(0, limit), isCut: items.length > limit };
  },
  gather({ parts, unreachable }, { limit }) {
    const answers = parts.map(({ body }) => body as unknown as Rows);
    const rows = new Map(answers.flatMap(({ items }) => items.map((row) => [placeOf(row), row])));
    const items = [...rows].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, row]) => row);
    const isCut = items.length > limit || answers.some((answer) => answer.isCut);
    return { items: items.slice(0, limit), isCut, unreachable };
  },
});

function placeOf(row: Record<string, Json>): string {
  return `${String(row["service"])}\n${String(row["registId"])}`;
}

const KEY = {
  service: { type: "service", isRequired: true, about: "The service." },
  registId: {
    type: "text",
    charsMax: KEY_PART_CHARS_MAX,
    default: "",
    about: "The id of the registration in it; without it that of an instance that an operator has put at the address.",
  },
  host: { type: "text", charsMax: 253, default: "", about: "The host or the IP address of the instance." },
  port: { type: "integer", min: 0, max: 65_535, default: 0, about: "The port of the instance." },
  ifRevision: {
    type: "version",
    about: "The change is made only if the record has this revision, as it was read; 0: only if there is none.",
  },
} as const satisfies ParameterTable;

interface Named {
  readonly service: PersistentKey["serviceKey"];
  readonly registId: string;
  readonly host: string;
  readonly port: number;
}

function keyOf({ service, registId, host, port }: Named): PersistentKey {
  if (registId !== "") return { serviceKey: service, registId };
  if (host === "" || port === 0) {
    throw fail("FIELD_INVALID", { field: host === "" ? "host" : "port", expected: "the address of the instance" });
  }
  return { serviceKey: service, registId: `${SOURCE}:${host}:${port}` };
}

/** Both changes are alike in these. */
const CHANGE = {
  isChange: true,
  permission: "operate",
  canBePreviewed: true,
  answeredBy: { kind: "session" },
  answer: DONE,
  waitMs: () => ANSWER_MS,
  state: stateOfNamed,
} as const;

export const putPersistent = operation({
  name: "persistent.put",
  method: "PUT",
  path: "/persistent",
  about: "Registers an instance that stays until it is taken back, or changes it; a check may decide over its health.",
  parameters: {
    ...KEY,
    weight: { type: "integer", min: 0, max: 10_000, default: 1, about: "Its share of calls; 0 is none." },
    zone: { type: "text", charsMax: 256, default: "", about: "The part of the service that it belongs to." },
    check: {
      type: "choice",
      oneOf: ["none", "tcp", "http", "grpc", "udp"],
      about: "The probe of its address; without it there is none. See active-checks.",
    },
    path: { type: "text", charsMax: 2_048, default: "/", about: "For http: the path and the query." },
    interval: { type: "duration", about: "The time from one probe to the next; 10 s without it." },
    timeout: { type: "duration", about: "The time after which a probe has failed; 5 s without it." },
  },
  command: { words: ["persistent register"], positional: ["service", "host", "port"] },
  ...CHANGE,
  async run(node, values, isPreview) {
    const { host, port, weight, zone, ifRevision } = values;
    const { persistent, account } = sessionOf(node);
    const key = keyOf(values);
    if (host === "" || port === 0) throw fail("FIELD_INVALID", { field: "host", expected: "an address" });
    const checks = checksOf(values);
    for (const check of checks) {
      const refusal = persistent.checkRefusal(check);
      if (refusal !== undefined) throw refusal;
    }
    const registration: PersistentRegistration = {
      ...key,
      holder: clientId(`${host}:${port}_${SOURCE}`),
      zone: "",
      appName: "",
      instance: {
        ...{ host, port, weight, zone, securePort: undefined },
        ...{
          isEnabled: true,
          isHealthy: true,
          isPersistent: true,
          metadata: new Map(),
          source: SOURCE,
          bags: new Map(),
        },
      },
      checks,
    };
    if (isPreview) return { isDone: false, message: `${key.registId} of ${key.serviceKey} would be registered` };
    const answer = await answered(node, ifRevision, (asked) => persistent.put({ registration, account, ...asked }));
    if (answer.kind === "failed") throw answer.error;
    return { isDone: true, message: `${key.registId} of ${key.serviceKey} is registered, until it is taken back` };
  },
});

interface CheckValues {
  readonly host: string;
  readonly port: number;
  readonly check: string | undefined;
  readonly path: string;
  readonly interval: number | undefined;
  readonly timeout: number | undefined;
}

function checksOf({ host, port, check, path, interval, timeout }: CheckValues): Check[] {
  const tls = { isTls: false, isTlsUnchecked: false };
  const probes: Readonly<Record<string, Probe>> = {
    tcp: { kind: "tcp", host, port },
    udp: { kind: "udp", host, port },
    grpc: { kind: "grpc", host, port, ...tls, service: "" },
    http: { kind: "http", host, port, ...tls, method: "GET", path, headers: new Map(), expectedStatus: undefined },
  };
  const probe = check === undefined ? undefined : probes[check];
  if (probe === undefined) return [];
  const times = { ...(interval && { intervalMs: interval }), ...(timeout && { timeoutMs: timeout }) };
  return [checkOf({ id: probe.kind, probe, ...times })];
}

export const removePersistent = operation({
  name: "persistent.remove",
  method: "DELETE",
  path: "/persistent",
  about: "Takes a registration back that would stay otherwise, whichever protocol has put it.",
  parameters: KEY,
  command: { words: ["persistent deregister"], positional: ["service", "registId"] },
  ...CHANGE,
  async run(node, values, isPreview) {
    const { persistent, account } = sessionOf(node);
    const key = keyOf(values);
    if (isPreview) {
      if (persistent.find(key) === undefined) throw unknownOf(key);
      return { isDone: false, message: `${key.registId} of ${key.serviceKey} would be taken back` };
    }
    const answer = await answered(node, values.ifRevision, (asked) => persistent.remove({ key, account, ...asked }));
    if (answer.kind === "failed") throw answer.error;
    if (answer.kind === "unknown") throw unknownOf(key);
    return { isDone: true, message: `${key.registId} of ${key.serviceKey} is taken back` };
  },
});

function unknownOf({ serviceKey, registId }: PersistentKey) {
  return fail("PERSISTENT_UNKNOWN", { service: serviceKey, registId });
}

/** For the audit trail. */
function stateOfNamed(node: OperatedNode, values: Named): Json | undefined {
  const kept = node.session?.persistent.find(keyOf(values));
  return kept === undefined ? undefined : rowOf(kept);
}

type Asked = Pick<RemoveRequest, "ifRevision" | "done" | "untilMs">;

function answered(
  node: OperatedNode,
  ifRevision: bigint | undefined,
  ask: (asked: Asked) => void,
): Promise<PersistentAnswer> {
  const condition = ifRevision === undefined ? {} : { ifRevision };
  return new Promise((done) => ask({ ...condition, done, untilMs: node.nowMs() + ANSWER_MS }));
}
