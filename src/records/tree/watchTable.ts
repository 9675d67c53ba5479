// The watches of a node's connections, by path. One-shot watches go when they fire; standing ones stay until their
// connection ends, or takes them back. Which watch hears of what is ZooKeeper's rule.

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
}

/** The kinds of watches. `recursive` ones hear of everything below their path, and never of lists of children. */
export type WatchKind = "data" | "child" | "persistent" | "recursive";

type Table = Map<string, Set<WatchOwner>>;

export class WatchTable {
  readonly #tables: Record<WatchKind, Table> = {
    data: new Map(),
    child: new Map(),
    persistent: new Map(),
    recursive: new Map(),
  };
  readonly #owned = new Map<WatchOwner, Map<string, Set<WatchKind>>>();
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
    const paths = this.#owned.get(owner) ?? new Map<string, Set<WatchKind>>();
    this.#owned.set(owner, paths.set(path, (paths.get(path) ?? new Set()).add(kind)));
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
    const paths = this.#owned.get(owner);
    const kinds = paths?.get(path);
    kinds?.delete(kind);
    if (kinds?.size === 0) paths?.delete(path);
    if (paths?.size === 0) this.#owned.delete(owner);
    this.#size--;
    return true;
  }

  /** Removes all watches of a connection. */
  removeAll(owner: WatchOwner): void {
    const paths = this.#owned.get(owner);
    if (paths === undefined) return;
    for (const [path, kinds] of [...paths]) for (const kind of [...kinds]) this.remove(kind, path, owner);
  }

  /** The number of a connection's watched paths. */
  pathsOf(owner: WatchOwner): number {
    return this.#owned.get(owner)?.size ?? 0;
  }

  /** All connections with watches, and what they watch. */
  all(): Iterable<readonly [WatchOwner, ReadonlyMap<string, ReadonlySet<WatchKind>>]> {
    return this.#owned;
  }

  /** Tells what a transaction did, in its order. */
  happened(events: readonly TreeEvent[], zxid: number): void {
    if (this.#size === 0) return;
    for (const event of events) this.#fire(event, zxid);
  }

  #fire({ kind, path }: TreeEvent, zxid: number): void {
    // A connection is told once, however many of its watches hear of it.
    const told = new Set<WatchOwner>();
    this.#tell(this.#take("data", path), { kind, path }, zxid, told);
    this.#tell(this.#tables.persistent.get(path), { kind, path }, zxid, told);
    for (const above of pathAndAncestors(path)) {
      this.#tell(this.#tables.recursive.get(above), { kind, path }, zxid, told);
    }
    if (kind === EVENT.dataChanged) return;
    if (kind === EVENT.deleted) this.#tell(this.#take("child", path), { kind, path }, zxid, told);
    if (path === ROOT) return;
    const parent = parentOf(path);
    const changed: WatchEvent = { kind: WATCH_EVENT.childrenChanged, path: parent };
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
