// The watches of a node's connections, by path. One-shot watches go when they fire; standing ones stay until their
// connection ends, or takes them back. Which watch hears of what is ZooKeeper's rule.

import { defined } from "../../base/assert.ts";
import type { Acl } from "./acl.ts";
import { parentOf, pathAndAncestors, ROOT } from "./paths.ts";
import { EVENT, type TreeEvent } from "./treeRecords.ts";

/** A connection with watches. It is its own key. */
export interface WatchOwner {
  watched(event: WatchEvent, zxid: number): void;
}

/** The kinds of events that watches are told, by ZooKeeper's numbers. */
export const WATCH_EVENT = { created: 1, deleted: 2, dataChanged: 3, childrenChanged: 4 } as const;
export type WatchEventKind = (typeof WATCH_EVENT)[keyof typeof WATCH_EVENT];

export interface WatchEvent {
  readonly kind: WatchEventKind;
  readonly path: string;
  /** Of the znode, which may be gone; undefined: it is the one that the tree has. */
  readonly acl: readonly Acl[] | undefined;
}

/** The kinds of watches. `recursive` ones hear of everything below their path, and never of lists of children. */
export type WatchKind = "data" | "child" | "persistent" | "recursive";

type Table = Map<string, Set<WatchOwner>>;

/** The watches of one connection. */
class Owned {
  readonly paths = new Map<string, Set<WatchKind>>();
  watches = 0;
  /** The lengths of their paths together. */
  pathUnits = 0;
}

const NONE: Pick<Owned, "watches" | "pathUnits"> = { watches: 0, pathUnits: 0 };

export class WatchTable {
  readonly #tables: Record<WatchKind, Table> = {
    data: new Map(),
    child: new Map(),
    persistent: new Map(),
    recursive: new Map(),
  };
  readonly #owned = new Map<WatchOwner, Owned>();
  #size = 0;

  /** The number of watches. */
  get size(): number {
    return this.#size;
  }

  /** Returns false if the connection has this watch already. */
  add(kind: WatchKind, path: string, owner: WatchOwner): boolean {
    const table = this.#tables[kind];
    const owners = table.get(path) ?? new Set();
    if (owners.has(owner)) return false;
    table.set(path, owners.add(owner));
    const owned = this.#owned.get(owner) ?? new Owned();
    this.#owned.set(owner, owned);
    owned.paths.set(path, (owned.paths.get(path) ?? new Set()).add(kind));
    owned.watches++;
    owned.pathUnits += path.length;
    this.#size++;
    return true;
  }

  has(kind: WatchKind, path: string, owner: WatchOwner): boolean {
    return this.#tables[kind].get(path)?.has(owner) === true;
  }

  /** Returns false if the connection has no such watch. */
  remove(kind: WatchKind, path: string, owner: WatchOwner): boolean {
    const table = this.#tables[kind];
    const owners = table.get(path);
    if (owners?.delete(owner) !== true) return false;
    if (owners.size === 0) table.delete(path);
    const owned = defined(this.#owned.get(owner), "each watch has an owner");
    const kinds = owned.paths.get(path);
    kinds?.delete(kind);
    if (kinds?.size === 0) owned.paths.delete(path);
    owned.watches--;
    owned.pathUnits -= path.length;
    if (owned.watches === 0) this.#owned.delete(owner);
    this.#size--;
    return true;
  }

  /** Removes all watches of a connection. */
  removeAll(owner: WatchOwner): void {
    const owned = this.#owned.get(owner);
    if (owned === undefined) return;
    for (const [path, kinds] of [...owned.paths]) for (const kind of [...kinds]) this.remove(kind, path, owner);
  }

  /** The number of a connection's watches, and the lengths of their paths together. */
  heldBy(owner: WatchOwner): { readonly watches: number; readonly pathUnits: number } {
    return this.#owned.get(owner) ?? NONE;
  }

  /** All connections with watches, and what they watch. */
  *all(): Generator<readonly [WatchOwner, ReadonlyMap<string, ReadonlySet<WatchKind>>]> {
    for (const [owner, { paths }] of this.#owned) yield [owner, paths];
  }

  /** Tells what a transaction did, in its order. */
  happened(events: readonly TreeEvent[], zxid: number): void {
    if (this.#size === 0) return;
    for (const event of events) this.#fire(event, zxid);
  }

  #fire(event: TreeEvent, zxid: number): void {
    const { kind, path } = event;
    // A connection is told once, however many of its watches hear of it.
    const told = new Set<WatchOwner>();
    this.#tell(this.#take("data", path), event, zxid, told);
    this.#tell(this.#tables.persistent.get(path), event, zxid, told);
    for (const above of pathAndAncestors(path)) {
      this.#tell(this.#tables.recursive.get(above), event, zxid, told);
    }
    if (kind === EVENT.dataChanged) return;
    if (kind === EVENT.deleted) this.#tell(this.#take("child", path), event, zxid, told);
    if (path === ROOT) return;
    const parent = parentOf(path);
    const changed: WatchEvent = { kind: WATCH_EVENT.childrenChanged, path: parent, acl: undefined };
    const toldOfChildren = new Set<WatchOwner>();
    this.#tell(this.#take("child", parent), changed, zxid, toldOfChildren);
    this.#tell(this.#tables.persistent.get(parent), changed, zxid, toldOfChildren);
  }

  #take(kind: "data" | "child", path: string): WatchOwner[] {
    const owners = [...(this.#tables[kind].get(path) ?? [])];
    for (const owner of owners) this.remove(kind, path, owner);
    return owners;
  }

  #tell(owners: Iterable<WatchOwner> | undefined, event: WatchEvent, zxid: number, told: Set<WatchOwner>): void {
    for (const owner of owners ?? []) {
      if (told.has(owner)) continue;
      told.add(owner);
      owner.watched(event, zxid);
    }
  }
}
