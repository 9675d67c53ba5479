// Services and checks, read from the bodies of registrations.

import type { Probe } from "../../base/probes.ts";
import { CHECK_BOUNDS, CHECK_STATUSES, type Check, type CheckStatus, checkOf } from "../../model/check.ts";
import { durationOf, durationText } from "./duration.ts";
import { consulRefusal } from "./errors.ts";
import type { Fields } from "./fields.ts";

/** The shares of calls of an instance, while it passes and while it has warnings. */
export interface Weights {
  readonly passing: number;
  readonly warning: number;
}

/** A service as a client registers it on a node. JSON that only Consul's clients look into is kept as it came. */
export interface ServiceDefinition {
  readonly node: string;
  readonly nodeAddress: string;
  readonly id: string;
  readonly name: string;
  readonly tags: readonly string[];
  readonly port: number;
  /** Empty: the node's. */
  readonly address: string;
  readonly socketPath: string;
  readonly meta: ReadonlyMap<string, string>;
  readonly weights: Weights;
  readonly enableTagOverride: boolean;
  readonly kind: string;
  readonly taggedAddresses: unknown;
  readonly proxy: unknown;
  readonly connect: unknown;
  readonly locality: unknown;
  /** It was registered at an agent, and not in the catalogue. */
  readonly isAgent: boolean;
}

const PORT_MAX = 65_535;
const META_MAX = 64;
const META_KEY = /^[A-Za-z0-9_-]{1,128}$/;
const META_VALUE_CHARS_MAX = 512;
const NAME_CHARS_MAX = 512;

/** The service of a body. Throws a ConsulError. */
export function readService(
  fields: Fields,
  place: Pick<ServiceDefinition, "node" | "nodeAddress" | "isAgent">,
): ServiceDefinition {
  // The catalogue says Service where an agent says Name.
  const name = place.isAgent ? fields.text("Name") : fields.text("Service");
  if (name === "") throw consulRefusal(place.isAgent ? 400 : 500, "Missing service name");
  const id = fields.text("ID") === "" ? name : fields.text("ID");
  for (const text of [name, id]) {
    if (text.length > NAME_CHARS_MAX)
      throw consulRefusal(400, `Service names and IDs have ${NAME_CHARS_MAX} characters at most`);
  }
  const port = fields.number("Port") ?? 0;
  if (!Number.isInteger(port) || port < 0 || port > PORT_MAX) throw consulRefusal(400, `Invalid port: ${port}`);
  const address = fields.text("Address");
  if (address === "0.0.0.0" || address === "::") throw consulRefusal(400, "Invalid service address");
  return {
    ...place,
    ...{ id, name, port, address },
    tags: fields.texts("Tags"),
    socketPath: fields.text("SocketPath"),
    meta: checkedMeta(fields.entries("Meta")),
    weights: weightsOf(fields.inner("Weights"), place),
    enableTagOverride: fields.flag("EnableTagOverride"),
    kind: fields.text("Kind"),
    taggedAddresses: taggedAddressesOf(fields),
    proxy: fields.value("Proxy") ?? null,
    connect: fields.value("Connect") ?? null,
    locality: fields.value("Locality") ?? null,
  };
}

/** The addresses of a service by their tags: their fields may be worded in any case, too. Throws a ConsulError. */
function taggedAddressesOf(fields: Fields): Record<string, { readonly Address: string; readonly Port: number }> | null {
  if (!fields.has("TaggedAddresses")) return null;
  const addresses = fields.objects("TaggedAddresses").map(([tag, inner]) => {
    const port = inner.number("Port") ?? 0;
    if (!Number.isInteger(port)) throw consulRefusal(400, `Request decode failed: ${tag}.Port must be an integer`);
    return [tag, { Address: inner.text("Address"), Port: port }] as const;
  });
  return Object.fromEntries(addresses);
}

/** Metadata within Consul's bounds. Throws a ConsulError. */
export function checkedMeta(meta: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  if (meta.size > META_MAX)
    throw consulRefusal(
      400,
      `Invalid Service Meta: Node metadata cannot contain more than ${META_MAX} key/value pairs`,
    );
  for (const [key, value] of meta) {
    if (!META_KEY.test(key))
      throw consulRefusal(
        400,
        `Invalid Service Meta: Couldn't load metadata pair ('${key.slice(0, 100)}', …): Key contains invalid characters`,
      );
    if (value.length > META_VALUE_CHARS_MAX)
      throw consulRefusal(
        400,
        `Invalid Service Meta: Couldn't load metadata pair ('${key}', …): Value is too long (limit: ${META_VALUE_CHARS_MAX} characters)`,
      );
  }
  return meta;
}

function weightsOf(fields: Fields | undefined, { isAgent }: Pick<ServiceDefinition, "isAgent">): Weights {
  const [passing, warning] = [fields?.number("Passing") ?? 1, fields?.number("Warning") ?? 1];
  // The client for Go puts two zeros into the catalogue where its caller has said nothing.
  if (!isAgent && passing === 0 && warning === 0) return { passing: 1, warning: 1 };
  for (const weight of [passing, warning]) {
    if (!Number.isInteger(weight) || weight < 0 || weight > PORT_MAX)
      throw consulRefusal(400, `Invalid weight: ${weight} is not between 0 and ${PORT_MAX}`);
  }
  if (passing < 1) throw consulRefusal(400, "Passing must be greater than 0");
  return { passing, warning };
}

/** A check as a client of Consul words it, kept beside the one that the registry makes of it. */
export interface CheckWords {
  readonly type: string;
  readonly interval: string;
  readonly timeout: string;
  /** The definition of a check that was put into the catalogue, as it came. */
  readonly definition?: unknown;
}

/** The check of an agent's body, with this id unless it has one of its own. Throws a ConsulError. */
export function readCheck(fields: Fields, defaults: { readonly id: string; readonly name: string }): Check {
  const id = textOr(fields, ["CheckID", "ID"], defaults.id);
  const name = textOr(fields, ["Name"], defaults.name);
  const ttlMs = fields.has("TTL") ? positive(fields, "TTL") : undefined;
  const probe = probeOf(fields);
  const isAlias = fields.text("AliasService") !== "" || fields.text("AliasNode") !== "";
  if (probe === undefined && ttlMs === undefined && !isAlias) throw consulRefusal(400, unserved(fields));
  const intervalMs = probe === undefined ? 10_000 : within("intervalMs", positive(fields, "Interval"));
  const timeoutMs = fields.has("Timeout") ? positive(fields, "Timeout") : 10_000;
  const deregister = fields.has("DeregisterCriticalServiceAfter")
    ? positive(fields, "DeregisterCriticalServiceAfter")
    : 0;
  const words: CheckWords = {
    type: ttlMs !== undefined ? "ttl" : (probe?.kind ?? "alias"),
    interval: probe === undefined ? "" : durationText(intervalMs),
    timeout: probe !== undefined && fields.has("Timeout") ? durationText(timeoutMs) : "",
  };
  const failures = fields.number("FailuresBeforeCritical") ?? 0;
  return checkOf({
    ...{ id, name, intervalMs },
    notes: fields.text("Notes"),
    timeoutMs: Math.min(within("timeoutMs", timeoutMs), intervalMs),
    successesBeforePassing: count(fields.number("SuccessBeforePassing") ?? 0),
    failuresBeforeCritical: count(failures),
    failuresBeforeWarning: count(fields.number("FailuresBeforeWarning") ?? failures),
    initial: statusOf(textOr(fields, ["Status"], isAlias ? "passing" : "critical")),
    ...(ttlMs !== undefined && { ttlMs: within("ttlMs", ttlMs) }),
    ...(probe !== undefined && { probe }),
    // Consul looks for such services every 30 s, and not before a minute is over.
    ...(deregister > 0 && { deregisterAfterMs: Math.max(60_000, within("deregisterAfterMs", deregister)) }),
    bag: JSON.stringify(words),
  });
}

/** The check of a body of the catalogue: a status that only such bodies change. Throws a ConsulError. */
export function readCatalogCheck(fields: Fields): {
  readonly check: Check;
  readonly serviceId: string;
  readonly output: string;
} {
  const id = textOr(fields, ["CheckID", "Name"], "");
  if (id === "") throw consulRefusal(500, "Must provide CheckID or Name of a check");
  const words: CheckWords = {
    type: fields.text("Type"),
    interval: "",
    timeout: "",
    definition: fields.value("Definition") ?? {},
  };
  const check = checkOf({
    id,
    name: textOr(fields, ["Name"], id),
    notes: fields.text("Notes"),
    initial: statusOf(fields.text("Status") === "" ? "critical" : fields.text("Status")),
    bag: JSON.stringify(words),
  });
  return { check, serviceId: fields.text("ServiceID"), output: fields.text("Output") };
}

/** A status by its name. Throws a ConsulError. */
export function statusOf(text: string): CheckStatus {
  const status = CHECK_STATUSES.find((each) => each === text);
  if (status !== undefined) return status;
  throw consulRefusal(400, `Invalid check status: '${text.slice(0, 100)}'`);
}

/** A check that is critical for as long as it is there: for maintenance. */
export function maintenanceCheck(id: string, name: string, reason: string): Check {
  const words: CheckWords = { type: "maintenance", interval: "", timeout: "" };
  return checkOf({ id, name, notes: reason, initial: "critical", bag: JSON.stringify(words) });
}

function textOr(fields: Fields, names: readonly string[], otherwise: string): string {
  for (const name of names) if (fields.text(name) !== "") return fields.text(name);
  return otherwise;
}

function positive(fields: Fields, name: string): number {
  const ms = durationOf(fields.value(name));
  if (ms !== undefined && ms > 0) return ms;
  if (ms === undefined)
    throw consulRefusal(
      400,
      `Invalid check: ${name}: time: invalid duration ${JSON.stringify(fields.value(name) ?? "").slice(0, 100)}`,
    );
  throw consulRefusal(400, `Invalid check: ${name} must be > 0: ${JSON.stringify(fields.value(name) ?? "")}`);
}

function within(field: keyof typeof CHECK_BOUNDS, value: number): number {
  const { min, max } = CHECK_BOUNDS[field];
  return Math.min(Math.max(Math.round(value), min), max);
}

function count(value: number): number {
  return Number.isInteger(value) ? Math.min(Math.max(value, 1), CHECK_BOUNDS.failuresBeforeCritical.max) : 1;
}

const UNSERVED = ["Args", "Script", "DockerContainerID", "H2PING", "OSService"] as const;

function unserved(fields: Fields): string {
  const name = UNSERVED.find((each) => fields.has(each));
  if (name === undefined) return "Invalid check: TTL must be > 0, or HTTP, TCP, UDP, GRPC or an alias must be given";
  if (name === "Args" || name === "Script")
    return "Scripts are disabled on this agent: a check runs at a node of the registry, not beside the service";
  return `Invalid check: ${name} is not served: use TTL, HTTP, TCP, UDP or GRPC`;
}

const URL_FORM = /^(https?):\/\/(\[[\da-fA-F:.]+\]|[^\s/:?#[\]@]+)(?::(\d{1,5}))?([/?][^\s#]*)?$/;
const ADDRESS_FORM = /^(\[[\da-fA-F:.]+\]|[^\s/:[\]]+):(\d{1,5})(?:\/([^\s]*))?$/;

/** Undefined: the check has no probe. Throws a ConsulError for one that can't be read. */
function probeOf(fields: Fields): Probe | undefined {
  if (fields.text("HTTP") !== "") return httpProbe(fields);
  for (const kind of ["TCP", "UDP", "GRPC"] as const) {
    const text = fields.text(kind);
    if (text === "") continue;
    const [, host = "", port, service = ""] = ADDRESS_FORM.exec(text) ?? [];
    if (host === "")
      throw consulRefusal(400, `Invalid check: ${kind} must be host:port, not ${JSON.stringify(text.slice(0, 100))}`);
    const at = { host: host.replace(/^\[|\]$/g, ""), port: Number(port) };
    if (kind !== "GRPC") return { kind: kind === "TCP" ? "tcp" : "udp", ...at };
    return {
      kind: "grpc",
      ...at,
      service,
      isTls: fields.flag("GRPCUseTLS"),
      isTlsUnchecked: fields.flag("TLSSkipVerify"),
    };
  }
  return undefined;
}

function httpProbe(fields: Fields): Probe {
  const url = fields.text("HTTP");
  const [, scheme, host = "", port, path = "/"] = URL_FORM.exec(url) ?? [];
  if (host === "")
    throw consulRefusal(400, `Invalid check: HTTP must be a URL, not ${JSON.stringify(url.slice(0, 100))}`);
  const method = fields.text("Method").toUpperCase() || "GET";
  if (method !== "GET" && method !== "HEAD" && method !== "OPTIONS")
    throw consulRefusal(
      400,
      `Invalid check: the method ${method.slice(0, 20)} is not made by checks here: use GET, HEAD or OPTIONS`,
    );
  const isTls = scheme === "https";
  return {
    kind: "http",
    host: host.replace(/^\[|\]$/g, ""),
    port: Number(port ?? (isTls ? 443 : 80)),
    ...{ isTls, isTlsUnchecked: fields.flag("TLSSkipVerify"), method },
    path: path.startsWith("/") ? path : `/${path}`,
    headers: headersOf(fields.inner("Header"), fields.value("Header")),
    expectedStatus: undefined,
  };
}

function headersOf(fields: Fields | undefined, value: unknown): Map<string, string> {
  if (fields === undefined) return new Map();
  return new Map(
    Object.entries(value ?? {}).map(([name, values]) => [
      name.toLowerCase(),
      Array.isArray(values) ? values.join(", ") : String(values),
    ]),
  );
}
