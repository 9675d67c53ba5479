// Which session keeps a registration: the one with the highest number made of its name and the registration (rendezvous
// hashing). So every node finds the same one without being told, and when a session comes or goes only the
// registrations move that it gets or had. The name counts and not the run: a session that restarts keeps what it had.

import { type NodeId, nodeNameOf } from "../model/ids.ts";
import type { RecordId } from "./recordForm.ts";

/** The sessions that keep registrations, with the numbers of their names. */
export type Keepers = readonly { readonly id: NodeId; readonly seed: number }[];

/** Makes the choice easy for many registrations. */
export function keepersOf(sessions: Iterable<NodeId>): Keepers {
  return [...sessions].map((id) => ({ id, seed: seedOf(nodeNameOf(id)) }));
}

/** The session that keeps this one; undefined if there is none. */
export function keeperOf(record: RecordId, keepers: Keepers): NodeId | undefined {
  return bestOf(record, keepers, undefined);
}

/**
 * The session that would keep it without its keeper: the two of them end what was taken back, since one that is cut off
 * from the store does not know that.
 */
export function secondKeeperOf(record: RecordId, keepers: Keepers): NodeId | undefined {
  return bestOf(record, keepers, keeperOf(record, keepers));
}

function bestOf(record: RecordId, keepers: Keepers, except: NodeId | undefined): NodeId | undefined {
  const number = Number.parseInt(record.slice(0, 8), 16);
  let best: NodeId | undefined;
  let bestWeight = -1;
  for (const { id, seed } of keepers) {
    const weight = mixed(seed ^ number);
    // Of two runs of one node, for the moment in which both are members, each node chooses the same.
    const isBehind = weight < bestWeight || (weight === bestWeight && best !== undefined && id < best);
    if (isBehind || id === except) continue;
    best = id;
    bestWeight = weight;
  }
  return best;
}

// FNV-1a.
function seedOf(name: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < name.length; at++) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
  return hash;
}

// The finalizer of MurmurHash3: each bit of the input changes half of the output's.
function mixed(number: number): number {
  let hash = number ^ (number >>> 16);
  hash = Math.imul(hash, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
