// A node's holdings of one slot, as leader or follower: the datums, and for each session the digest of its
// publications.

import type { KeptVersion, ReplicaDatum } from "../cluster/messages/replication.ts";
import { type PublishItem, registIdOf } from "../cluster/messages/sessionData.ts";
import type { DatumChange, DatumVersion } from "../model/datum.ts";
import type { NodeId, ServiceKey } from "../model/ids.ts";
import type { Registration } from "../model/publication.ts";
import { RegistrationDigest } from "../model/registrationDigest.ts";
import { Challenges } from "./challenges.ts";
import { Contests } from "./contests.ts";
import { Datum, type Hides } from "./datum.ts";
import type { PublicationMemory, PublicationStore } from "./packed/publicationStore.ts";
import type { Tombstones } from "./packed/tombstones.ts";

/** Shared by all slots of a node. */
export interface SharedMemory {
  readonly publications: PublicationMemory;
  readonly tombstones: Tombstones<Datum>;
  readonly logChangesMax: number;
  readonly hides: Hides;
  /** The number of datums in all slots. */
  datums: number;
}

export class SlotContents {
  readonly slot: number;
  readonly datums = new Map<ServiceKey, Datum>();
  /** No datum that was forgotten here had a higher version. */
  forgotten = 0n;
  /** Services of which changes came without what they build on: what is here is not the list of its version. */
  readonly partial = new Set<ServiceKey>();
  readonly contests = new Contests();
  readonly challenges = new Challenges();
  readonly #memory: SharedMemory;
  readonly #store: PublicationStore;
  readonly #digests = new Map<NodeId, RegistrationDigest>();
  #publishers = 0;

  constructor(slot: number, memory: SharedMemory) {
    this.slot = slot;
    this.#memory = memory;
    this.#store = memory.publications.store();
  }

  get publishers(): number {
    return this.#publishers;
  }

  /** Sessions that answer for at least one publication here. */
  owners(): Iterable<NodeId> {
    return this.#digests.keys();
  }

  /** The digest of `session`'s publications here; undefined if there are none. */
  digestOf(session: NodeId): RegistrationDigest | undefined {
    return this.#digests.get(session);
  }

  /** The publications of `session`; nothing may be changed before the last one is read. */
  *ownedBy(session: NodeId): Generator<Registration> {
    if (!this.#digests.has(session)) return;
    for (const datum of this.datums.values()) yield* datum.registrations((owner) => owner.session === session);
  }

  add(serviceKey: ServiceKey, version: DatumVersion): Datum {
    const publications = this.#store.service(serviceKey);
    const { tombstones, logChangesMax, hides } = this.#memory;
    const parts = { publications, tombstones, logChangesMax, hides };
    const datum = new Datum({ serviceKey, slot: this.slot }, version, parts);
    this.datums.set(serviceKey, datum);
    this.#memory.datums++;
    return datum;
  }

  /** As `Datum.apply`, with the sums kept. */
  apply(datum: Datum, item: PublishItem): DatumChange | "unseen" | "refused" {
    return this.applyOver(datum, item, { before: datum.registration(registIdOf(item)), isLate: false });
  }

  /**
   * As `apply`, with the known holding under the item's registId. `isLate`: its session may have taken it long ago, and
   * others since.
   */
  applyOver(
    datum: Datum,
    item: PublishItem,
    { before, isLate }: { readonly before: Registration | undefined; readonly isLate: boolean },
  ): DatumChange | "unseen" | "refused" {
    const applied = datum.apply(item, before);
    if (applied === "refused") return applied;
    if (before !== undefined) this.#uncount(before);
    if (item.kind === "remove") return applied;
    if (before !== undefined) this.contests.replaced(before, item.publication, isLate);
    this.#count(item.publication);
    return applied;
  }

  /** Replaces the datum here by its leader's. */
  replace({ serviceKey, version, origin, publications, tombstones, hidden }: ReplicaDatum): Datum {
    this.drop(serviceKey);
    const datum = this.add(serviceKey, { version, origin });
    for (const publication of publications) this.apply(datum, { kind: "put", publication });
    for (const [registId, stamp, by] of tombstones) datum.bury(registId, stamp, by);
    datum.follow({ version, origin }, hidden);
    return datum;
  }

  drop(serviceKey: ServiceKey): void {
    const datum = this.datums.get(serviceKey);
    if (datum === undefined) return;
    for (const registration of datum.registrations()) this.#uncount(registration);
    datum.clear();
    this.datums.delete(serviceKey);
    this.partial.delete(serviceKey);
    if (datum.version.version > this.forgotten) this.forgotten = datum.version.version;
    this.#memory.datums--;
  }

  /** Drops a datum of which nothing would be lost. */
  dropIfIdle(datum: Datum): void {
    // An old tombstone may still point to a datum that was dropped and made anew since.
    if (datum.isIdle && this.datums.get(datum.serviceKey) === datum) this.drop(datum.serviceKey);
  }

  /** The node neither leads nor follows this slot any more. */
  clear(): void {
    this.contests.clear();
    this.challenges.clear();
    for (const serviceKey of [...this.datums.keys()]) this.drop(serviceKey);
  }

  /** A follower's report to its leader. */
  keptVersions(): KeptVersion[] {
    return [...this.datums.values()].map(keptVersion);
  }

  /** The datums that a follower with `kept` lacks, and the surplus ones. */
  differenceTo(kept: readonly KeptVersion[]): { datums: ReplicaDatum[]; gone: ServiceKey[] } {
    const byService = new Map(kept.map((one) => [one.serviceKey, one]));
    const datums: ReplicaDatum[] = [];
    for (const datum of this.datums.values()) {
      const theirs = byService.get(datum.serviceKey);
      byService.delete(datum.serviceKey);
      if (theirs === undefined || !isEqual(theirs, keptVersion(datum))) datums.push(replicaOf(datum));
    }
    return { datums, gone: [...byService.keys()] };
  }

  #count(registration: Registration): void {
    const { session } = registration.owner;
    const digest = this.#digests.get(session) ?? new RegistrationDigest();
    if (digest.count === 0) this.#digests.set(session, digest);
    digest.add(registration);
    this.#publishers++;
  }

  #uncount(registration: Registration): void {
    const { session } = registration.owner;
    const digest = this.#digests.get(session);
    digest?.remove(registration);
    if (digest?.count === 0) this.#digests.delete(session);
    this.#publishers--;
  }
}

function keptVersion(datum: Datum): KeptVersion {
  const digest = new RegistrationDigest();
  for (const registration of datum.registrations()) digest.add(registration);
  // Where no publication has a condition it is the digest of earlier releases.
  const value = BigInt.asUintN(64, digest.value + BigInt(datum.conditions));
  return { ...datum.version, serviceKey: datum.serviceKey, count: digest.count, digest: value };
}

function isEqual(a: KeptVersion, b: KeptVersion): boolean {
  return a.version === b.version && a.origin === b.origin && a.count === b.count && a.digest === b.digest;
}

function replicaOf(datum: Datum): ReplicaDatum {
  return {
    ...datum.version,
    serviceKey: datum.serviceKey,
    publications: [...datum.publications()],
    tombstones: [...datum.tombstones()],
    ...(datum.hidden > 0 && { hidden: datum.hidden }),
  };
}

// Measured: a datum of one session's interest, its maps and its log, on the heap.
const DATUM_BYTES = 1_000;

/** The approximate memory of a node's publications, tombstones and datums. */
export function usedBytes({ publications, tombstones, datums }: SharedMemory): number {
  return publications.bytes + tombstones.bytes + datums * DATUM_BYTES;
}
