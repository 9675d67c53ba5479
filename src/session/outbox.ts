// Changes on their way to one data node. The first goes out at once; while a batch is under way the next ones gather,
// only the newest of each registration. So a burst of republishes costs one item, and the queue is never longer than
// the registrations that it concerns.

import { assert } from "../base/assert.ts";
import { BATCH_ITEMS_MAX, type PublishItem, registIdOf, serviceKeyOf } from "../cluster/messages/sessionData.ts";
import { compareStamps, type Publication, type Stamp } from "../model/publication.ts";

export interface Batch {
  readonly id: number;
  readonly items: readonly PublishItem[];
  /** The time at which the first of the items came to the session, or began to wait again. */
  readonly sinceMs: number;
  readonly sentMs: number;
}

// A batch takes this or a quarter of the queue. One large client delays the others little, and a session that is busy
// reading, and hears only now and then that a batch was taken, still gets rid of its changes.
const BATCH_ITEMS = 100;
const BATCHES_WAITING = 4;
// A few very large publications must not make one message of a gigabyte.
const BATCH_BYTES_MAX = 4 * 1024 * 1024;
// The most items that are looked at for a batch that takes only some of them.
const SCANNED_MAX = 10_000;

/** The queue to one data node. */
export class Outbox {
  #waiting = new Map<string, PublishItem>();
  #underWay: Batch | undefined;
  /** The time since which something has waited without a break. */
  #waitingMs = 0;
  readonly #nextId: () => number;
  readonly #now: () => number;

  /** `nextId` numbers batches, each number once for a receiver; `now` is the time of the present step. */
  constructor(nextId: () => number, now: () => number) {
    this.#nextId = nextId;
    this.#now = now;
  }

  /** Nothing waits, nothing is under way. */
  get isEmpty(): boolean {
    return this.#waiting.size === 0 && this.#underWay === undefined;
  }

  /** A batch is under way. */
  get isBusy(): boolean {
    return this.#underWay !== undefined;
  }

  /** The items of the batch under way. */
  get sent(): readonly PublishItem[] {
    return this.#underWay?.items ?? [];
  }

  /** When the batch under way was sent. */
  get sentMs(): number | undefined {
    return this.#underWay?.sentMs;
  }

  /** The number of changes that wait to be sent. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Queues the newest state of a registration in place of an older one that still waits. */
  add(item: PublishItem): void {
    if (this.#waiting.size === 0) this.#waitingMs = this.#now();
    const key = keyIn(this.#waiting, item);
    const waiting = this.#waiting.get(key);
    // Newest wins here too: of two clients with one registId, the older one's change must not displace the newer one's.
    if (waiting === undefined || compareStamps(stampOf(item), stampOf(waiting)) >= 0) this.#waiting.set(key, item);
  }

  /** Forgets a publication that still waits, or would wait again if the batch under way is not taken. */
  withdraw(publication: Publication): void {
    const batch = this.#underWay;
    const isThis = (item: PublishItem) => item.kind === "put" && item.publication === publication;
    if (batch?.items.some(isThis) === true) {
      this.#underWay = { ...batch, items: batch.items.filter((item) => !isThis(item)) };
    }
    const key = keyIn(this.#waiting, { kind: "put", publication });
    const waiting = this.#waiting.get(key);
    if (waiting?.kind === "put" && waiting.publication === publication) this.#waiting.delete(key);
  }

  /**
   * The next batch to send; undefined while one is under way or nothing waits. With `mayGo` the batch has only items
   * for which it returns true, and is undefined if there is none near the front.
   */
  next(mayGo?: (item: PublishItem) => boolean): Batch | undefined {
    if (this.#underWay !== undefined || this.#waiting.size === 0) return undefined;
    const share = Math.ceil(this.#waiting.size / BATCHES_WAITING);
    const itemsMax = Math.min(BATCH_ITEMS_MAX, Math.max(BATCH_ITEMS, share));
    const items: PublishItem[] = [];
    let bytes = 0;
    let scanned = 0;
    for (const [key, item] of this.#waiting) {
      if (items.length === itemsMax || bytes >= BATCH_BYTES_MAX || scanned++ === SCANNED_MAX) break;
      if (mayGo?.(item) === false) continue;
      items.push(item);
      bytes += item.kind === "put" ? item.publication.payload.length : 0;
      this.#waiting.delete(key);
    }
    const [first] = items;
    if (first === undefined) return undefined;
    // A registration that is sent again was accepted long ago.
    const sinceMs = Math.max(stampOf(first).registeredMs, this.#waitingMs);
    this.#underWay = { id: this.#nextId(), items, sinceMs, sentMs: this.#now() };
    return this.#underWay;
  }

  /**
   * The node has taken the batch; returns its items. An answer to an earlier batch, from before a lost connection, is
   * ignored.
   */
  taken(batch: number): readonly PublishItem[] {
    if (this.#underWay?.id !== batch) return [];
    const { items } = this.#underWay;
    this.#underWay = undefined;
    return items;
  }

  /** Whether `batch` is the one under way. */
  isUnderWay(batch: number): boolean {
    return this.#underWay?.id === batch;
  }

  /** The node has refused the batch under way: its items wait again, behind all others. Returns the items. */
  refused(): readonly PublishItem[] {
    const items = this.sent;
    this.#underWay = undefined;
    if (this.#waiting.size === 0) this.#waitingMs = this.#now();
    for (const item of items) {
      const key = keyIn(this.#waiting, item);
      const waiting = this.#waiting.get(key);
      // Of two items with one stamp the one that waits came later.
      const isNewer = waiting === undefined || compareStamps(stampOf(item), stampOf(waiting)) > 0;
      if (isNewer) this.#waiting.set(key, item);
    }
    return items;
  }

  /** The batch may be lost: its items wait again, and displace nothing newer. */
  putBack(): void {
    const batch = this.#underWay;
    if (batch === undefined) return;
    this.#underWay = undefined;
    const waiting = this.#waiting;
    this.#waiting = new Map();
    for (const item of [...batch.items, ...waiting.values()]) this.add(item);
  }

  /** Takes everything that waits, for another node. */
  drain(): PublishItem[] {
    this.putBack();
    assert(this.#underWay === undefined, "a drained queue has nothing under way");
    const items = [...this.#waiting.values()];
    this.#waiting.clear();
    return items;
  }
}

// The key of a waiting item: its registId, unless a registration of another service waits under that; a key of both
// would be a string to make and hash for each item.
function keyIn(waiting: ReadonlyMap<string, PublishItem>, item: PublishItem): string {
  const registId = registIdOf(item);
  const serviceKey = serviceKeyOf(item);
  const other = waiting.get(registId);
  return other === undefined || serviceKeyOf(other) === serviceKey ? registId : `${registId}\n${serviceKey}`;
}

function stampOf(item: PublishItem): Stamp {
  return item.kind === "put" ? item.publication : item.removal.stamp;
}
