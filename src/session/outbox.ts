// Changes on their way to one data node. The first ones go out at once; while as many batches are under way as may be,
// the next changes gather. Of a registration one change is under way at a time and the newest waits, so a burst of
// republishes costs two items, none overtakes another, and the queue is never longer than the registrations that it
// speaks of.

import {
  BATCH_ITEMS_MAX,
  BATCHES_UNDER_WAY_MAX,
  dataInfoIdOf,
  type PublishItem,
  registIdOf,
} from "../messages/sessionData.ts";
import { compareStamps, type Stamp } from "../model/publication.ts";

export interface Batch {
  readonly id: number;
  readonly items: readonly PublishItem[];
}

// A batch takes this or a quarter of what waits: one large client delays the others behind it little, and a session
// that is busy reading, and hears but once in a while that batches were taken, still gets rid of what it takes.
const BATCH_ITEMS = 100;
const BATCHES_WAITING = 4;
// A few very large publications must not make one message of a gigabyte.
const BATCH_BYTES_MAX = 4 * 1024 * 1024;

/** The queue to one data node. */
export class Outbox {
  #waiting = new Map<string, PublishItem>();
  readonly #underWay = new Map<number, Batch>();
  // What waits for the answer to an earlier change of its registration, by the registIds under way.
  readonly #behind = new Map<string, readonly PublishItem[]>();
  readonly #nextId: () => number;

  /** `nextId` numbers batches, each number once for a receiver. */
  constructor(nextId: () => number) {
    this.#nextId = nextId;
  }

  /** Nothing waits, nothing is under way. */
  get isEmpty(): boolean {
    return this.#waiting.size === 0 && this.#underWay.size === 0;
  }

  /** Queues the newest state of a registration in place of an older one that still waits. */
  add(item: PublishItem): void {
    const registId = registIdOf(item);
    const behind = this.#behind.get(registId);
    if (behind !== undefined) {
      this.#behind.set(registId, withNewer(behind, item));
      return;
    }
    const key = keyIn(this.#waiting, item);
    const waiting = this.#waiting.get(key);
    if (waiting === undefined || displaces(item, waiting)) this.#waiting.set(key, item);
  }

  /** The next batch to send, or undefined while enough is under way or nothing else waits. */
  next(): Batch | undefined {
    if (this.#underWay.size === BATCHES_UNDER_WAY_MAX || this.#waiting.size === 0) return undefined;
    const share = Math.ceil(this.#waiting.size / BATCHES_WAITING);
    const itemsMax = Math.min(BATCH_ITEMS_MAX, Math.max(BATCH_ITEMS, share));
    const items: PublishItem[] = [];
    let bytes = 0;
    for (const [key, item] of this.#waiting) {
      if (items.length === itemsMax || bytes >= BATCH_BYTES_MAX) break;
      this.#waiting.delete(key);
      const registId = registIdOf(item);
      if (this.#behind.has(registId)) {
        // Another service's registration of the same name is under way.
        this.add(item);
        continue;
      }
      this.#behind.set(registId, NOTHING);
      items.push(item);
      bytes += item.kind === "put" ? item.publication.payload.length : 0;
    }
    if (items.length === 0) return undefined;
    const batch = { id: this.#nextId(), items };
    this.#underWay.set(batch.id, batch);
    return batch;
  }

  /**
   * The node has taken the batch: what was in it. An answer to an earlier batch, from before a lost connection, is
   * ignored.
   */
  taken(batch: number): readonly PublishItem[] {
    const items = this.#underWay.get(batch)?.items ?? [];
    this.#underWay.delete(batch);
    for (const item of items) this.#free(registIdOf(item));
    return items;
  }

  /** The node has refused the batch: its items wait again. False if it is not under way. */
  refused(batch: number): boolean {
    if (!this.#underWay.has(batch)) return false;
    this.#putBack(this.taken(batch));
    return true;
  }

  /** What is under way may be lost: it waits again. */
  putBack(): void {
    this.#putBack([...this.#underWay.keys()].flatMap((batch) => this.taken(batch)));
  }

  /** Everything that waits, for another node. */
  drain(): PublishItem[] {
    this.putBack();
    const items = [...this.#waiting.values()];
    this.#waiting.clear();
    return items;
  }

  /** Nothing of the registration is under way any more. */
  #free(registId: string): void {
    const behind = this.#behind.get(registId) ?? NOTHING;
    this.#behind.delete(registId);
    for (const item of behind) this.add(item);
  }

  /** Before all that waits, unless something newer of the same registration does. */
  #putBack(items: readonly PublishItem[]): void {
    const waiting = this.#waiting;
    this.#waiting = new Map();
    for (const item of items) this.add(item);
    for (const item of waiting.values()) this.add(item);
  }
}

const NOTHING: readonly PublishItem[] = [];

// Newest wins here too: of two clients with one registId the older one's word must not displace the newer one's.
function displaces(item: PublishItem, waiting: PublishItem): boolean {
  return compareStamps(stampOf(item), stampOf(waiting)) >= 0;
}

/** The items, each of another service, with this one in place of an older one of its service. */
function withNewer(items: readonly PublishItem[], item: PublishItem): readonly PublishItem[] {
  const same = items.find((each) => dataInfoIdOf(each) === dataInfoIdOf(item));
  if (same === undefined) return [...items, item];
  return displaces(item, same) ? items.map((each) => (each === same ? item : each)) : items;
}

// Under which key an item waits: its registId, unless a registration of another service waits under that; both together
// would be a string to be made and hashed for each item.
function keyIn(waiting: ReadonlyMap<string, PublishItem>, item: PublishItem): string {
  const registId = registIdOf(item);
  const dataInfoId = dataInfoIdOf(item);
  const other = waiting.get(registId);
  return other === undefined || dataInfoIdOf(other) === dataInfoId ? registId : `${registId}\n${dataInfoId}`;
}

function stampOf(item: PublishItem): Stamp {
  return item.kind === "put" ? item.publication : item.removal.stamp;
}
