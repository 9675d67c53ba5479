// Names that must not be mixed up. Each is a plain string at run time; the brand exists only for the compiler.

declare const brand: unique symbol;

type Branded<Name extends string> = string & { readonly [brand]: Name };

/**
 * One run of a node: `<name>.<run>`. The name is kept in the node's data directory and says nothing about its address;
 * the run is new with every process. So a restarted node is a different node to its peers, as it should be: its memory
 * is empty, and its last run may still have left something behind.
 */
export type NodeId = Branded<"NodeId">;

/** One connection of one client: `<client ip:port>_<session ip:port>`, as SOFARegistry names it. */
export type ClientId = Branded<"ClientId">;

/** The key of a service: `name#@#namespace#@#group` (model/serviceKey.ts). */
export type ServiceKey = Branded<"ServiceKey">;

/** The services of a catalogue: `namespace#@#group`, or empty for all (model/catalogue.ts). */
export type CatalogueScope = Branded<"CatalogueScope">;

export function nodeId(text: string): NodeId {
  return text as NodeId;
}

// A name from a data directory is a UUID, and a run has eight characters.
const NODE_ID_CHARS_MAX = 128;
// Not "." or "..": a node id may occur in a path.
const NODE_ID = /^(?!\.{1,2}$)[A-Za-z0-9._-]+$/;

/** Whether a foreign text may be a node id, which serves as a map key and is shown to people. */
export function isNodeId(text: string): boolean {
  return text.length <= NODE_ID_CHARS_MAX && NODE_ID.test(text);
}

/** The name of a node, without its run. */
export function nodeNameOf(id: NodeId): string {
  const dot = id.lastIndexOf(".");
  return dot < 0 ? id : id.slice(0, dot);
}

export function clientId(text: string): ClientId {
  return text as ClientId;
}

/**
 * Whether two connections come from different hosts, as seen by their sessions. Ids that name no host tell nothing.
 */
export function haveDifferentHosts(one: ClientId, other: ClientId): boolean {
  const host = hostOf(one);
  const otherHost = hostOf(other);
  return host !== otherHost && host !== "" && otherHost !== "";
}

/** Whether two connections come from one host. */
export function haveOneHost(one: ClientId, other: ClientId): boolean {
  const host = hostOf(one);
  return host !== "" && host === hostOf(other);
}

/** The host that a client connects from, as seen by its session; empty if its id names none. */
export function hostOf(client: ClientId): string {
  const end = client.indexOf("_");
  return client.slice(0, Math.max(0, client.lastIndexOf(":", end < 0 ? client.length : end)));
}

/** The number of a client whose id names no host. */
export const UNKNOWN_HOST = 0;
/** Hosts have numbers from 1 to this one: twelve bits, with the one above. */
export const HOST_NUMBERS = 0xfff;

/**
 * A number for the host that a client connects from, where there is no room for its name: two hosts share a number with
 * a chance of 1 in 4,095. Nodes exchange it, so it is the same in every process and release (FNV-1a).
 */
export function hostNumberOf(client: ClientId): number {
  return hostNumberOfHost(hostOf(client));
}

/** As `hostNumberOf`, for the host itself. */
export function hostNumberOfHost(host: string): number {
  if (host === "") return UNKNOWN_HOST;
  let hash = 0x811c9dc5;
  for (let at = 0; at < host.length; at++) hash = Math.imul(hash ^ host.charCodeAt(at), 0x01000193);
  return 1 + ((hash >>> 0) % HOST_NUMBERS);
}

/** Only `model/serviceKey.ts` and decoders of our own messages brand a key. */
export function brandServiceKey(text: string): ServiceKey {
  return text as ServiceKey;
}

/** Only `model/catalogue.ts` and decoders of our own messages brand a scope. */
export function brandCatalogueScope(text: string): CatalogueScope {
  return text as CatalogueScope;
}
