// Paths at which clients of ZooKeeper keep the providers of services: each child of such a path is an instance, in the
// form of Dubbo or of Curator's service discovery, which Spring Cloud uses.

import { RegistryError } from "../../base/errors.ts";
import type { ServiceKey } from "../../model/ids.ts";
import { type Instance, takesCalls } from "../../model/instance.ts";
import { readInstanceText } from "../../model/instanceText.ts";
import { makeServiceKey } from "../../model/serviceKey.ts";
import { nameOf, parentOf } from "../../records/tree/paths.ts";

/** The protocol's name in instances. */
export const ZOOKEEPER = "zookeeper";

/** `dubbo`: the child's name is a URL, escaped. `curator`: the child's data is a JSON text. */
export const SERVICE_FORMS = ["dubbo", "curator"] as const;
export type ServiceForm = (typeof SERVICE_FORMS)[number];

/** A path whose children are instances. */
export interface ServicePath {
  readonly path: string;
  readonly form: ServiceForm;
  readonly service: string;
  readonly serviceKey: ServiceKey;
}

/** A child of such a path. */
export interface ServiceChild {
  readonly name: string;
  readonly data: Uint8Array;
}

const DECODER = new TextDecoder("utf-8");
const ENCODER = new TextEncoder();
const WEIGHT_SCALE = 100;
/** Dubbo's consumers leave out a provider whose URL says `enabled=false`. */
const ENABLED_KEY = "enabled";
/** Spring Cloud's load balancer reads a weight there, and its lists leave out any status but none and UP. */
const WEIGHT_KEY = "weight";
const STATUS_KEY = "instance_status";
const WEIGHT = /^\d{1,9}(?:\.\d{1,9})?$/u;
const NO_DATA = new Uint8Array(0);

/** The paths that the configuration names: a form, `=`, and a path in which a star is the name of the service. */
export class ServicePaths {
  readonly #patterns: readonly { readonly form: ServiceForm; readonly before: string; readonly after: string }[];

  constructor(settings: readonly string[]) {
    this.#patterns = settings.flatMap((setting) => {
      const [word = "", pattern = ""] = setting.split("=");
      const form = SERVICE_FORMS.find((each) => each === word);
      const [before = "", after = ""] = pattern.split("*");
      return form === undefined ? [] : [{ form, before, after }];
    });
  }

  /** The service whose instances are the children of this path; undefined if they are none. */
  of(path: string): ServicePath | undefined {
    for (const { form, before, after } of this.#patterns) {
      if (!path.startsWith(before) || !path.endsWith(after) || path.length <= before.length + after.length) continue;
      const service = path.slice(before.length, path.length - after.length);
      const serviceKey = service.includes("/") ? undefined : keyOf(service);
      if (serviceKey !== undefined) return { path, form, service, serviceKey };
    }
    return undefined;
  }
}

/** Undefined for a name that no service can have. */
function keyOf(service: string): ServiceKey | undefined {
  try {
    return makeServiceKey({ name: service, namespace: "", group: "" });
  } catch (error) {
    if (error instanceof RegistryError) return undefined;
    throw error;
  }
}

/** The instance of a child; undefined if it is none. */
export function instanceOfChild(
  { form }: ServicePath,
  path: string,
  data: Uint8Array | undefined,
): Instance | undefined {
  const instance = form === "dubbo" ? instanceOfUrl(nameOf(path)) : instanceOfJson(DECODER.decode(data ?? NO_DATA));
  return instance && { ...instance, bags: new Map([[ZOOKEEPER, path]]) };
}

/** Whether a path is a child of a service path. */
export function serviceOf(paths: ServicePaths, path: string): ServicePath | undefined {
  return path === "/" ? undefined : paths.of(parentOf(path));
}

/**
 * The child that shows an instance which did not come by this path; undefined for one that takes no calls, and for one
 * that is a child already.
 */
export function childOf(service: ServicePath, instance: Instance): ServiceChild | undefined {
  const own = instance.bags.get(ZOOKEEPER);
  if (!takesCalls(instance) || (own !== undefined && parentOf(own) === service.path)) return undefined;
  return service.form === "dubbo" ? urlChild(service, instance) : jsonChild(service, instance);
}

function instanceOfUrl(name: string): Instance | undefined {
  try {
    const instance = readInstanceText(decodeURIComponent(name), ZOOKEEPER);
    return instance && { ...instance, isEnabled: instance.metadata.get(ENABLED_KEY) !== "false" };
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}

function urlChild({ service }: ServicePath, { host, port, weight, metadata }: Instance): ServiceChild {
  const parameters = new Map(metadata);
  const [protocol, path] = [parameters.get("protocol") ?? "dubbo", parameters.get("path") ?? service];
  for (const [key, value] of [
    ["category", "providers"],
    ["interface", service],
    ["side", "provider"],
  ] as const) {
    if (!parameters.has(key)) parameters.set(key, value);
  }
  parameters.delete("path");
  // Another protocol's number of that name is no hundredth; and only an instance of weight 0 gets no calls.
  parameters.delete(WEIGHT_KEY);
  const scaled = weight > 0 ? Math.max(1, Math.round(weight * WEIGHT_SCALE)) : 0;
  if (weight !== 1) parameters.set(WEIGHT_KEY, String(scaled));
  const query = [...parameters]
    .map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(value)}`)
    .join("&");
  const url = `${protocol}://${host.includes(":") ? `[${host}]` : host}:${port}/${path}?${query}`;
  return { name: encodeURIComponent(url), data: NO_DATA };
}

/** Reads a JSON text of Curator's service discovery, with Spring's payload or any other one. */
function instanceOfJson(text: string): Instance | undefined {
  const record = recordOf(parsed(text));
  const { address, port, sslPort, id, payload } = record;
  const callable = typeof port === "number" ? port : sslPort;
  if (typeof address !== "string" || address === "" || typeof callable !== "number" || !isPort(callable))
    return undefined;
  const metadata = new Map<string, string>();
  for (const [key, value] of Object.entries(recordOf(recordOf(payload)["metadata"]))) {
    if (typeof value === "string") metadata.set(key, value);
  }
  if (typeof id === "string" && !metadata.has("instance_id")) metadata.set("instance_id", id);
  const status = (metadata.get(STATUS_KEY) ?? "").toUpperCase();
  return {
    ...{ host: address, port: callable, metadata, source: ZOOKEEPER, zone: "", bags: new Map() },
    weight: weightOf(metadata),
    securePort: typeof sslPort === "number" && isPort(sslPort) ? sslPort : undefined,
    isEnabled: record["enabled"] !== false && status !== "OUT_OF_SERVICE",
    isHealthy: ["", "UP", "OUT_OF_SERVICE"].includes(status),
    isPersistent: false,
  };
}

function weightOf(metadata: ReadonlyMap<string, string>): number {
  const text = metadata.get(WEIGHT_KEY) ?? "";
  return WEIGHT.test(text) && Number(text) > 0 ? Number(text) : 1;
}

function jsonChild({ service }: ServicePath, { weight, ...instance }: Instance): ServiceChild {
  const { host, port, securePort } = instance;
  const metadata = new Map(instance.metadata);
  if (weight !== 1) metadata.set(WEIGHT_KEY, String(weight));
  const id = `${host}:${port}`;
  const record = {
    ...{ name: service, id, address: host, port, sslPort: securePort ?? null },
    payload: {
      "@class": "org.springframework.cloud.zookeeper.discovery.ZookeeperInstance",
      ...{ id: service, name: service, metadata: Object.fromEntries(metadata) },
    },
    ...{ registrationTimeUTC: 0, serviceType: "DYNAMIC" },
    uriSpec: {
      parts: [
        { value: "scheme", variable: true },
        { value: "://", variable: false },
        { value: "address", variable: true },
        { value: ":", variable: false },
        { value: "port", variable: true },
      ],
    },
    enabled: true,
  };
  return { name: id, data: ENCODER.encode(JSON.stringify(record)) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function isPort(port: number): boolean {
  return Number.isInteger(port) && port > 0 && port <= 0xffff;
}
