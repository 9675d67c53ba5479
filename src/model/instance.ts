// An instance: one address of a service, as most protocols know it. SOFARegistry's clients know texts instead
// (content.ts).

import { assert } from "../base/assert.ts";
import { stringOf, textOf, type WireText } from "../base/text.ts";
import { formOf, type Payload, packFields, textsOf } from "./payload.ts";

/** One instance of a service. */
export interface Instance {
  /** A name or an address; an IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
  readonly securePort: number | undefined;
  /** The share of calls that it should get, beside others of the service; 1 is usual, 0 is none. */
  readonly weight: number;
  /** Its client, or an operator through that client's protocol, wants calls to it. */
  readonly isEnabled: boolean;
  /** Its client says that it is well. */
  readonly isHealthy: boolean;
  /** It stays until it is taken back, whatever becomes of its client. */
  readonly isPersistent: boolean;
  /** The part of the service that it belongs to: Nacos' cluster. Empty: none. */
  readonly zone: string;
  readonly metadata: ReadonlyMap<string, string>;
  /** The name of the protocol that registered it. */
  readonly source: string;
  /** By protocol: what only that protocol knows of it and wants back unchanged, in a form of its own. */
  readonly bags: ReadonlyMap<string, string>;
}

/** Whether an instance wants calls, as far as it says itself. */
export function takesCalls({ isEnabled, isHealthy }: Instance): boolean {
  return isEnabled && isHealthy;
}

// Fields in this order; later releases add theirs at the end.
const FIXED_FIELDS = 7;
const FLAGS = ["isEnabled", "isHealthy", "isPersistent"] as const;

/**
 * Packs an instance. Equal instances have equal bytes, in whatever order their metadata came, so that a registration
 * that is only repeated changes nothing.
 */
export function packInstance(instance: Instance): Payload {
  const { host, port, securePort, weight, zone, source, metadata, bags } = instance;
  assert(Number.isFinite(weight), "a weight is a number");
  const flags = FLAGS.map((flag) => (instance[flag] ? "1" : "0")).join("");
  const fixed = [host, port, securePort ?? "", weight, flags, zone, source];
  return packFields([...fixed, ...rowOf(metadata), ...rowOf(bags)].map((field) => textOf(String(field))));
}

function rowOf(map: ReadonlyMap<string, string>): (string | number)[] {
  const entries = [...map].sort(([one], [other]) => (one < other ? -1 : 1));
  return [map.size, ...entries.flat()];
}

/** The instance of a payload; undefined if its form is another one, or if it can't be read. */
export function unpackInstance(payload: Payload): Instance | undefined {
  if (formOf(payload) !== "instance") return undefined;
  const fields = textsOf(payload).map((text: WireText | null) => (text === null ? "" : stringOf(text)));
  const [host = "", port, securePort, weight, flags = "", zone = "", source = ""] = fields;
  const metadata = readRow(fields, FIXED_FIELDS);
  const bags = metadata && readRow(fields, metadata.end);
  if (metadata === undefined || bags === undefined) return undefined;
  return {
    host,
    port: Number(port),
    securePort: securePort === "" ? undefined : Number(securePort),
    weight: Number(weight),
    isEnabled: flags[0] === "1",
    isHealthy: flags[1] === "1",
    isPersistent: flags[2] === "1",
    zone,
    source,
    metadata: metadata.map,
    bags: bags.map,
  };
}

/** The map whose size stands at `start`; undefined if fields are missing. */
function readRow(
  fields: readonly string[],
  start: number,
): { map: ReadonlyMap<string, string>; end: number } | undefined {
  const size = Number(fields[start]);
  const end = start + 1 + 2 * size;
  if (!Number.isInteger(size) || size < 0 || end > fields.length) return undefined;
  const map = new Map<string, string>();
  for (let at = start + 1; at < end; at += 2) map.set(fields[at] as string, fields[at + 1] as string);
  return { map, end };
}
