// All publishers of one service, as held by its slot's leader. The newest wins, in any order of arrival: a removal
// leaves a tombstone with its stamp, so that nothing older than the removal can come back through a slower path.

import { assert } from "../base/assert.ts";
import type { Remover } from "../cluster/messages/replication.ts";
import { type PublishItem, type Removal, registIdOf } from "../cluster/messages/sessionData.ts";
import {
  type DatumChange,
  type DatumDelta,
  type DatumSnapshot,
  type DatumVersion,
  NO_DATUM_VERSION,
} from "../model/datum.ts";
import { type ClientId, hostNumberOf, type ServiceKey, UNKNOWN_HOST } from "../model/ids.ts";
import {
  type Condition,
  compareStamps,
  equalConditions,
  isKeptByLease,
  type Owner,
  type Publication,
  type Registration,
  type Stamp,
} from "../model/publication.ts";
import { Interest } from "./interest.ts";
import { MarkDigest } from "./markDigest.ts";
import { OperatorLog } from "./operatorLog.ts";
import type { HostNumbers, HostSearch, MarkedPublication, ServicePublications } from "./packed/publicationStore.ts";
import type { ServiceTombstones, Tombstones } from "./packed/tombstones.ts";

/** Whether operators' rules keep a publication out of the lists. */
export type Hides = (publication: Omit<Publication, "payload">) => boolean;

export class Datum {
  readonly serviceKey: ServiceKey;
  readonly slot: number;
  /** The sessions that want to hear of this service. */
  readonly interest = new Interest();
  /** The latest state of earlier leaders that is contained here. */
  inherited: DatumVersion = NO_DATUM_VERSION;
  /** The last size that was recorded for the disk, by ServiceSizes. */
  recordedSize = 0;
  readonly #publications: ServicePublications;
  readonly #log: OperatorLog;
  readonly #memory: Tombstones<Datum>;
  readonly #hides: Hides;
  /** The publications that are marked as hidden now. */
  readonly #hidden = new MarkDigest();
  /** The publications with a condition, each with its condition. */
  readonly #conditions = new MarkDigest();
  /** The number of publications in the list whose condition says that they are not healthy. */
  #unhealthy = 0;
  /** The digest of those that the present version hides, if another node gave it or the marks have changed since. */
  #hiddenAtVersion: number | undefined;
  // Most services have none.
  #tombstones: ServiceTombstones | undefined;
  #version: DatumVersion;

  constructor(
    { serviceKey, slot }: { serviceKey: ServiceKey; slot: number },
    version: DatumVersion,
    {
      publications,
      tombstones,
      logChangesMax,
      hides,
    }: {
      publications: ServicePublications;
      tombstones: Tombstones<Datum>;
      logChangesMax: number;
      hides: Hides;
    },
  ) {
    this.serviceKey = serviceKey;
    this.slot = slot;
    this.#version = version;
    this.#publications = publications;
    this.#memory = tombstones;
    this.#hides = hides;
    this.#log = new OperatorLog(serviceKey, logChangesMax);
  }

  get version(): DatumVersion {
    return this.#version;
  }

  /** The number of publications, hidden ones too. */
  get size(): number {
    return this.#publications.size;
  }

  /** The number of publications in the list. */
  get shown(): number {
    return this.#publications.size - this.#hidden.count;
  }

  /** The number of them whose condition says that they are not healthy. */
  get unhealthy(): number {
    return this.#unhealthy;
  }

  /** The digest of the publications that are marked as hidden; 0 for none. */
  get hidden(): number {
    return this.#hidden.value;
  }

  /** The digest of the conditions of all publications; 0 if none has one. */
  get conditions(): number {
    return this.#conditions.value;
  }

  /** The approximate size of the pushed list, and the share of one publication. */
  get listBytes(): number {
    return this.#publications.listBytes;
  }

  listBytesOf(registId: string): number {
    return this.#publications.listBytesOf(registId);
  }

  /** Nothing is lost if this datum is forgotten. */
  get isIdle(): boolean {
    return this.#publications.size === 0 && (this.#tombstones?.size ?? 0) === 0 && this.interest.isEmpty;
  }

  publications(): Iterable<Publication> {
    return this.#publications.values();
  }

  /** All registrations, or those of owners that are `wanted`. Nothing may be changed before the last one is read. */
  registrations(wanted?: (owner: Owner) => boolean): Iterable<Registration> {
    return this.#publications.registrations(wanted);
  }

  /** Begins to search for those of clients whose hosts have one of these numbers (`hostNumberOf`). */
  searchAt(hosts: HostNumbers): HostSearch {
    return this.#publications.searchAt(hosts);
  }

  publication(registId: string): Publication | undefined {
    return this.#publications.get(registId);
  }

  /** All with their marks, or those of clients whose hosts have one of these numbers. */
  marked(hosts?: HostNumbers): Iterable<MarkedPublication> {
    return this.#publications.marked(hosts);
  }

  /** Whether operators' rules hide the holding under this registId. */
  isHidden(registId: string): boolean {
    return this.#hidden.count > 0 && this.#publications.isHidden(registId);
  }

  registration(registId: string): Registration | undefined {
    return this.#publications.registration(registId);
  }

  /** Removals that are remembered until nothing older can be under way any more. */
  tombstones(): Iterable<readonly [registId: string, stamp: Stamp, by: Remover]> {
    return this.#tombstones?.all() ?? [];
  }

  /**
   * Takes one item. The caller gives all visible changes of a batch one version. `unseen`: taken, but subscribers see
   * no difference. `refused`: something newer is known. `live` is the holding under the item's registId.
   */
  apply(item: PublishItem, live = this.registration(registIdOf(item))): DatumChange | "unseen" | "refused" {
    return item.kind === "put" ? this.#put(item.publication, live) : this.#remove(item.removal, live);
  }

  /** Moves to a higher version for `changes`, which were just applied. */
  commit(changes: readonly DatumChange[], to: DatumVersion): DatumDelta {
    assert(to.version > this.#version.version, "datum versions only grow");
    const delta = { ...to, serviceKey: this.serviceKey, base: this.#version, changes };
    this.#version = to;
    this.#hiddenAtVersion = undefined;
    // No session is at the version before: the next one to ask gets the whole list.
    if (this.interest.isEmpty) this.#log.clear();
    else this.#log.append(delta);
    return delta;
  }

  /**
   * Moves to a higher version without a change, when a session has a version that this leader can't compare or did not
   * give.
   */
  raise(to: DatumVersion): void {
    this.commit([], to);
  }

  /**
   * Moves to a higher version without a known way from the one before: an earlier leader, by other rules, hid other
   * publications.
   */
  restate(to: DatumVersion): void {
    this.commit([], to);
    this.#log.clear();
  }

  /** A follower takes its leader's version, without a way back to earlier ones. `hidden`: what the leader hides. */
  follow(version: DatumVersion, hidden = 0): void {
    this.#version = version;
    this.#hiddenAtVersion = hidden;
    this.#log.clear();
  }

  /**
   * A lead begins: the marks are those of the version from now on. `other`: the leader before hid other publications,
   * and the version must be restated.
   */
  takeOverHidden(): "same" | "other" {
    const before = this.#hiddenAtVersion ?? this.#hidden.value;
    this.#hiddenAtVersion = undefined;
    return before === this.#hidden.value ? "same" : "other";
  }

  /** Marks a publication as the rules now want it. Returns the change that subscribers see, if a commit follows. */
  mark(publication: MarkedPublication): DatumChange | undefined {
    const isHidden = this.#hides(publication);
    if (isHidden === publication.isHidden) return undefined;
    this.#hiddenAtVersion ??= this.#hidden.value;
    const { registId, version, registeredMs } = publication;
    this.#publications.mark(registId, isHidden);
    this.#count(registId, isHidden);
    if (publication.condition?.isHealthy === false) this.#unhealthy += isHidden ? -1 : 1;
    if (isHidden) return { kind: "removed", registId, stamp: { version, registeredMs } };
    const shown = this.#publications.get(registId);
    return shown && { kind: "put", publication: shown };
  }

  /**
   * Gives a publication another condition, or none; its content stays as it is. Returns it if that is a change, which
   * subscribers see, unless it is hidden, if a commit follows.
   */
  setCondition(registId: string, condition: Condition | undefined): Publication | undefined {
    const before = this.#publications.get(registId);
    if (before === undefined || equalConditions(before.condition, condition)) return undefined;
    const isHidden = this.isHidden(registId);
    this.#uncountCondition(registId, isHidden);
    this.#publications.setCondition(registId, condition);
    this.#countCondition(registId, condition, isHidden);
    return this.#publications.get(registId);
  }

  /** A follower takes its leader's condition of a registration that it holds. */
  followCondition({ registId, condition, ...stamp }: Publication): void {
    if (condition === undefined && this.#conditions.count === 0) return;
    const held = this.registration(registId);
    if (held !== undefined && compareStamps(held, stamp) === 0) this.setCondition(registId, condition);
  }

  /** Releases all publications; the datum is about to be forgotten. */
  clear(): void {
    this.#publications.clear();
    this.#hidden.clear();
    this.#conditions.clear();
    this.#unhealthy = 0;
    this.#tombstones?.clear();
  }

  /** A follower's tombstone, as its leader has it. */
  bury(registId: string, stamp: Stamp, by: Remover = { found: "held", host: UNKNOWN_HOST }): void {
    this.#bury(registId, stamp, by);
  }

  /** Forgets a removal: a publication that it does not keep out is taken. */
  unbury(registId: string): void {
    this.#tombstones?.delete(registId);
  }

  /** The list. */
  snapshot(): DatumSnapshot {
    const shown = this.#hidden.count === 0 ? this.#publications.values() : this.#publications.shown();
    return { ...this.#version, serviceKey: this.serviceKey, publications: [...shown] };
  }

  /** The difference since `have`, if the log reaches back and it is smaller than the whole list. */
  deltaSince(have: DatumVersion): DatumDelta | undefined {
    const delta = this.#log.since(have, (registId) => this.#publications.get(registId));
    return delta !== undefined && delta.changes.length <= this.shown ? delta : undefined;
  }

  /** The stamp of the removal that is remembered. */
  tombstone(registId: string): Stamp | undefined {
    return this.#tombstones?.get(registId);
  }

  /**
   * The removal that keeps this publication out, unless the publication is newer. A removal keeps out only its own
   * host's publications: it never took back another host's, and if it found nothing, that one's was not listed then.
   */
  tombstoneFor({ registId, owner }: Publication): Stamp | undefined {
    const stamp = this.tombstone(registId);
    if (stamp === undefined) return undefined;
    return this.#tombstones?.isOfAnotherHost(registId, hostNumberOf(owner.client)) === true ? undefined : stamp;
  }

  #put(publication: Publication, live: Registration | undefined): DatumChange | "unseen" | "refused" {
    const { registId } = publication;
    const buried = live === undefined ? this.tombstone(registId) : undefined;
    const known = live ?? (buried === undefined ? undefined : this.tombstoneFor(publication));
    if (known !== undefined) {
      const order = compareStamps(publication, known);
      if (order === 0 && live?.owner.session === publication.owner.session) {
        // Two sessions may have given two states of a registration that is kept by a lease the same time.
        return isKeptByLease(publication) && !this.#publications.shows(publication) ? "refused" : "unseen";
      }
      if (order <= 0) return "refused";
    }
    if (buried !== undefined) this.unbury(registId);
    // The new owner is taken in any case: a later removal must name it. But a client that only reconnected changes
    // nothing.
    const wasHidden = live !== undefined && this.isHidden(registId);
    const isSame = live !== undefined && !wasHidden && this.#publications.shows(publication);
    const isHidden = this.#hides(publication);
    this.#uncountCondition(registId, wasHidden);
    this.#countCondition(registId, publication.condition, isHidden);
    this.#publications.set(publication, isHidden);
    if (isHidden !== wasHidden) this.#count(registId, isHidden);
    if (!isHidden) return isSame ? "unseen" : { kind: "put", publication };
    if (live === undefined || wasHidden) return "unseen";
    const { version, registeredMs } = publication;
    return { kind: "removed", registId, stamp: { version, registeredMs } };
  }

  #remove(
    { registId, cause, stamp, client }: Removal,
    live: Registration | undefined,
  ): DatumChange | "unseen" | "refused" {
    if (live === undefined) {
      if (cause === "unpublished") this.#bury(registId, stamp, { found: "nothing", host: numberOf(client) });
      return "unseen";
    }
    const order = compareStamps(stamp, live);
    // An older one was replaced by the one that left, in an item that was merged away on its way here.
    if (cause === "left" ? order < 0 : order <= 0) return "refused";
    const wasHidden = this.isHidden(registId);
    if (wasHidden) this.#count(registId, false);
    this.#uncountCondition(registId, wasHidden);
    this.#publications.delete(registId);
    this.#bury(registId, stamp, { found: "held", host: numberOf(client ?? live.owner.client) });
    return wasHidden ? "unseen" : { kind: "removed", registId, stamp };
  }

  #count(registId: string, isHidden: boolean): void {
    if (isHidden) this.#hidden.add(registId);
    else this.#hidden.remove(registId);
  }

  #countCondition(registId: string, condition: Condition | undefined, isHidden: boolean): void {
    if (condition === undefined) return;
    this.#conditions.add(conditionText(registId, condition));
    if (condition.isHealthy === false && !isHidden) this.#unhealthy++;
  }

  /** The holding under this registId gets another condition, or goes. */
  #uncountCondition(registId: string, wasHidden: boolean): void {
    const condition = this.#conditions.count === 0 ? undefined : this.#publications.get(registId)?.condition;
    if (condition === undefined) return;
    this.#conditions.remove(conditionText(registId, condition));
    if (condition.isHealthy === false && !wasHidden) this.#unhealthy--;
  }

  #bury(registId: string, stamp: Stamp, by: Remover): void {
    this.#tombstones ??= this.#memory.service(this);
    const known = this.#tombstones.get(registId);
    if (known === undefined || this.#replaces(registId, { known, stamp, ...by })) {
      this.#tombstones.bury(registId, stamp, by);
    }
  }

  /**
   * The newest removal is remembered. Of two hosts whose removals found nothing the last one counts, and neither
   * outdoes the host whose removal found its own registration.
   */
  #replaces(
    registId: string,
    { known, stamp, found, host }: Remover & { readonly known: Stamp; readonly stamp: Stamp },
  ): boolean {
    const isStrange = this.#tombstones?.isOfAnotherHost(registId, host) === true;
    if (found === "held" || !isStrange) return compareStamps(stamp, known) > 0;
    return this.#tombstones?.found(registId) === "nothing";
  }
}

function conditionText(registId: string, { isHealthy, isEnabled, weight }: Condition): string {
  return `${isHealthy} ${isEnabled} ${weight} ${registId}`;
}

function numberOf(client: ClientId | undefined): number {
  return client === undefined ? UNKNOWN_HOST : hostNumberOf(client);
}
