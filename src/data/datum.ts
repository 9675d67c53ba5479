// All publishers of one service, as its slot's leader holds them. Newest wins, and it does not matter in which order
// things arrive: a removal leaves a tombstone with its stamp, so that what is older than the removal can't come back
// through a slower path.

import { assert } from "../base/assert.ts";
import type { PublishItem, Removal } from "../messages/sessionData.ts";
import type { DatumChange, DatumDelta, DatumSnapshot } from "../model/datum.ts";
import type { DataInfoId, NodeId } from "../model/ids.ts";
import { compareStamps, type Publication, type Stamp, showsTheSame } from "../model/publication.ts";
import { OperatorLog } from "./operatorLog.ts";

/** Remembers a removal until nothing older can be on its way any more. */
export interface Tombstone {
  readonly stamp: Stamp;
}

export class Datum {
  readonly dataInfoId: DataInfoId;
  /** Sessions with subscribers of this service, and when each last said so. */
  readonly interested = new Map<NodeId, number>();
  readonly #publications = new Map<string, Publication>();
  readonly #tombstones = new Map<string, Tombstone>();
  readonly #log: OperatorLog;
  #version: bigint;

  constructor(dataInfoId: DataInfoId, version: bigint, logChangesMax: number) {
    this.dataInfoId = dataInfoId;
    this.#version = version;
    this.#log = new OperatorLog(dataInfoId, logChangesMax);
  }

  get version(): bigint {
    return this.#version;
  }

  get size(): number {
    return this.#publications.size;
  }

  /** Nothing is lost if this datum is forgotten. */
  get isIdle(): boolean {
    return this.#publications.size === 0 && this.#tombstones.size === 0 && this.interested.size === 0;
  }

  publications(): Iterable<Publication> {
    return this.#publications.values();
  }

  /**
   * Takes one item. Returns the change that subscribers would see, if any; the caller gives all changes of a batch one
   * version.
   */
  apply(item: PublishItem): DatumChange | undefined {
    return item.kind === "put" ? this.#put(item.publication) : this.#remove(item.removal);
  }

  /** Raises the version for `changes`, which were just applied. */
  commit(changes: readonly DatumChange[], version: bigint): DatumDelta {
    assert(version > this.#version, "datum versions only grow");
    const delta = { dataInfoId: this.dataInfoId, base: this.#version, version, changes };
    this.#version = version;
    this.#log.append(delta);
    return delta;
  }

  /** Raises the version without a change, when somebody has a higher one than we gave out. */
  raise(version: bigint): void {
    this.commit([], version);
  }

  snapshot(): DatumSnapshot {
    return { dataInfoId: this.dataInfoId, version: this.#version, publications: [...this.#publications.values()] };
  }

  /** The difference since `have`, if the log reaches back and it is smaller than the whole list. */
  deltaSince(have: bigint): DatumDelta | undefined {
    const delta = this.#log.since(have);
    return delta !== undefined && delta.changes.length <= this.size ? delta : undefined;
  }

  tombstone(registId: string): Tombstone | undefined {
    return this.#tombstones.get(registId);
  }

  /** Forgets the tombstone, unless a newer removal has taken its place. */
  expireTombstone(registId: string, tombstone: Tombstone): void {
    if (this.#tombstones.get(registId) === tombstone) this.#tombstones.delete(registId);
  }

  #put(publication: Publication): DatumChange | undefined {
    const { registId } = publication;
    const live = this.#publications.get(registId);
    const known = live ?? this.#tombstones.get(registId)?.stamp;
    if (known !== undefined && compareStamps(publication, known) <= 0) return undefined;
    this.#tombstones.delete(registId);
    this.#publications.set(registId, publication);
    // The new owner is taken in any case: a later removal must name it. But a client that only reconnected is no news.
    if (live !== undefined && showsTheSame(live, publication)) return undefined;
    return { kind: "put", publication };
  }

  #remove({ registId, cause, stamp }: Removal): DatumChange | undefined {
    const live = this.#publications.get(registId);
    if (live === undefined) {
      if (cause === "unpublished") this.#bury(registId, stamp);
      return undefined;
    }
    const order = compareStamps(stamp, live);
    // One that is older was replaced by what left, in an item that was merged away on its way here.
    if (cause === "left" ? order < 0 : order <= 0) return undefined;
    this.#publications.delete(registId);
    this.#bury(registId, stamp);
    return { kind: "removed", registId, stamp };
  }

  #bury(registId: string, stamp: Stamp): void {
    const known = this.#tombstones.get(registId);
    if (known === undefined || compareStamps(stamp, known.stamp) > 0) this.#tombstones.set(registId, { stamp });
  }
}
