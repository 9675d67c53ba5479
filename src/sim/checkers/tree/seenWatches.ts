// The watches of one connection, held against what has happened: an event comes for each change that a watch is set
// for, once, in the order of the changes, and before any answer that shows the change.

import { isWithin, parentOf, ROOT } from "../../../records/tree/paths.ts";
import { EVENT } from "../../../records/tree/treeRecords.ts";
import { WATCH_EVENT } from "../../../records/tree/watchTable.ts";
import type { TreeWatch } from "../../treeFacts.ts";
import type { TrueEvent } from "./treeTruth.ts";

interface Due {
  readonly event: number;
  readonly path: string;
  readonly zxid: number;
}

type Paths = Record<TreeWatch, Map<string, number>>;

export class SeenWatches {
  readonly #events: readonly TrueEvent[];
  /** By path, the transaction after which the watch is set. */
  readonly #paths: Paths = { data: new Map(), child: new Map(), recursive: new Map() };
  /** The first event that was not looked at. */
  #next: number;
  #due: Due[] = [];
  /** Set again after this transaction; undefined: all are set. */
  #missedAfter: number | undefined;

  constructor(events: readonly TrueEvent[]) {
    this.#events = events;
    this.#next = events.length;
  }

  set(watch: TreeWatch, path: string, zxid: number): void {
    if (this.#isEmpty) this.#next = this.#after(zxid);
    this.#paths[watch].set(path, zxid);
  }

  /** The connection is another one: the watches are about to be set again, as of the newest answer. */
  reconnected(seenZxid: number): void {
    // The first event of a change has come, and the second was lost with the connection: that watch is still set.
    for (const { path } of this.#due) this.#paths.child.set(path, seenZxid);
    this.#due = [];
    if (!this.#isEmpty) this.#missedAfter = seenZxid;
  }

  /** All watches are set again; returns what was not told of the time in between. */
  setAgain(zxid: number): string | undefined {
    const after = this.#missedAfter ?? zxid;
    this.#missedAfter = undefined;
    this.#next = this.#after(zxid);
    const missed = this.#between(after, zxid);
    for (const [watch, paths] of Object.entries(this.#paths)) {
      for (const path of paths.keys()) {
        paths.set(path, zxid);
        if (watch === "recursive") continue;
        const change = missed.find((event) => concerns(event, watch, path));
        if (change !== undefined) return `a ${watch} watch at ${path} was not told of ${change.zxid} after a reconnect`;
      }
    }
    return undefined;
  }

  /** An event has come; returns what is wrong with it. */
  fired(event: Due): string | undefined {
    if (this.#missedAfter !== undefined) return this.#caughtUp(event, this.#missedAfter);
    while (this.#due.length === 0 && this.#next < this.#events.length) this.#look();
    const due = this.#due.shift();
    if (due?.event === event.event && due.path === event.path && due.zxid === event.zxid) return undefined;
    return `${wordsOf(event)} was told, and ${due === undefined ? "nothing" : wordsOf(due)} was due`;
  }

  /** An answer shows the tree as of `zxid`; returns what should have come before it. */
  answered(zxid: number): string | undefined {
    if (this.#missedAfter !== undefined) return undefined;
    for (;;) {
      const next = this.#events[this.#next];
      if (next === undefined || next.zxid > zxid) break;
      this.#look();
    }
    const due = this.#due.find((each) => each.zxid <= zxid);
    return due && `${wordsOf(due)} was not told before an answer as of ${zxid}`;
  }

  get #isEmpty(): boolean {
    return Object.values(this.#paths).every(({ size }) => size === 0);
  }

  #after(zxid: number): number {
    let at = this.#events.length;
    while (at > 0 && (this.#events[at - 1]?.zxid ?? 0) > zxid) at--;
    return at;
  }

  #between(after: number, zxid: number): TrueEvent[] {
    return this.#events.slice(this.#after(after), this.#after(zxid));
  }

  #caughtUp({ event, path, zxid }: Due, after: number): string | undefined {
    const watch = event === WATCH_EVENT.childrenChanged ? "child" : "data";
    const isSet = this.#paths[watch].delete(path);
    const isTrue = this.#between(after, zxid).some((change) => concerns(change, watch, path));
    return isSet && isTrue ? undefined : `${event} at ${path} was told after a reconnect, and had not happened`;
  }

  /** Looks at the next event, and at which watches it concerns. */
  #look(): void {
    const event = this.#events[this.#next++];
    if (event === undefined) return;
    const { kind, path, zxid } = event;
    const { data, child, recursive } = this.#paths;
    const isOfData = take(data, path, zxid);
    const isOfAll = [...recursive].some(([above, since]) => since < zxid && isWithin(path, above));
    const isOfChild = kind === EVENT.deleted && take(child, path, zxid);
    if (isOfData || isOfAll || isOfChild) this.#due.push({ event: kind, path, zxid });
    if (kind === EVENT.dataChanged || path === ROOT || !take(child, parentOf(path), zxid)) return;
    this.#due.push({ event: WATCH_EVENT.childrenChanged, path: parentOf(path), zxid });
  }
}

function take(paths: Map<string, number>, path: string, zxid: number): boolean {
  const since = paths.get(path);
  return since !== undefined && since < zxid && paths.delete(path);
}

function concerns({ kind, path }: TrueEvent, watch: string, watched: string): boolean {
  if (path === watched) return watch === "data" || kind === EVENT.deleted;
  return watch === "child" && kind !== EVENT.dataChanged && parentOf(path) === watched;
}

function wordsOf({ event, path, zxid }: Due): string {
  return `event ${event} at ${path} of ${zxid}`;
}
