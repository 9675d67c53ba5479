// Names that must not be mixed up. Each is a plain string at run time; the brand exists for the compiler only.

declare const brand: unique symbol;

type Branded<Name extends string> = string & { readonly [brand]: Name };

/** A node of the cluster: an id kept in its data directory, not an address. */
export type NodeId = Branded<"NodeId">;

/** One connection of one client: `<client ip:port>_<session ip:port>`, as SOFARegistry names it. */
export type ClientId = Branded<"ClientId">;

/** The key of a service: `dataId#@#instanceId#@#group`. */
export type DataInfoId = Branded<"DataInfoId">;

export function nodeId(text: string): NodeId {
  return text as NodeId;
}

export function clientId(text: string): ClientId {
  return text as ClientId;
}

/** Only `model/dataInfoId.ts` and decoders of our own messages brand a key. */
export function brandDataInfoId(text: string): DataInfoId {
  return text as DataInfoId;
}
