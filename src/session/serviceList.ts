// The session's copy of one service's list. It moves from one whole version to the next: a delta is applied only on
// exactly the version at which it begins; anything else is a reason to fetch.
//
// A list that names revisions of applications has no view before the caller shows it: no instance is shown before its
// revision can be read here.

import { revisionsNamedBy } from "../model/appRevision.ts";
import {
  type DatumDelta,
  type DatumSnapshot,
  type DatumVersion,
  isSameVersion,
  NO_DATUM_VERSION,
} from "../model/datum.ts";
import type { ServiceKey } from "../model/ids.ts";
import type { Publication } from "../model/publication.ts";
import { isCredible } from "../model/version.ts";
import type { ServiceView } from "../registry/registry.ts";

export class ServiceList {
  readonly serviceKey: ServiceKey;
  #publications = new Map<string, Publication>();
  #version: DatumVersion = NO_DATUM_VERSION;
  /** The number of publications that name each revision. */
  #named = NO_NAMES;
  #view: ServiceView | undefined;

  constructor(serviceKey: ServiceKey) {
    this.serviceKey = serviceKey;
  }

  /** NO_VERSION until the first list has come. */
  get version(): bigint {
    return this.#version.version;
  }

  /** The version with its origin. */
  get state(): DatumVersion {
    return this.#version;
  }

  /** The whole list, as its leader gave it. */
  get snapshot(): DatumSnapshot {
    return { ...this.#version, serviceKey: this.serviceKey, publications: [...this.#publications.values()] };
  }

  /** The revisions that publications in it name. */
  get named(): Iterable<string> {
    return this.#named.keys();
  }

  get namesRevisions(): boolean {
    return this.#named.size > 0;
  }

  /** Whether these publications are more than half of the list. */
  isMostly(revisions: ReadonlySet<string>): boolean {
    // Most publications name one revision: the counts decide, except where publications that name several matter.
    const counts = [...revisions].map((id) => this.#named.get(id) ?? 0);
    const half = this.#publications.size / 2;
    if (counts.some((named) => named > half)) return true;
    if (counts.reduce((sum, named) => sum + named, 0) <= half) return false;
    let count = 0;
    for (const publication of this.#publications.values()) if (names(publication, revisions)) count++;
    return 2 * count > this.#publications.size;
  }

  /** Shows a list that names revisions, without the publications that name one of `withheld`. */
  show(withheld: ReadonlySet<string>): void {
    this.release();
    let publications = this.#publications;
    if (withheld.size > 0) {
      publications = new Map([...publications].filter(([, publication]) => !names(publication, withheld)));
    }
    this.#setView(publications);
  }

  /** The list to push; undefined until the first one has come, and while a list that names revisions is not shown. */
  get view(): ServiceView | undefined {
    return this.#view;
  }

  /** Takes a whole list. False if it is not newer than this one. */
  replace(snapshot: DatumSnapshot, nowMs: number): boolean {
    if (snapshot.version <= this.version && !isFromAfar(snapshot, this.#version, nowMs)) return false;
    this.#publications = new Map();
    this.#named = NO_NAMES;
    for (const publication of snapshot.publications) this.#set(publication);
    this.#moveTo(snapshot);
    return true;
  }

  /** Takes a delta. `behind` means that this list is not at the version at which the delta begins. */
  apply(delta: DatumDelta): "applied" | "known" | "behind" {
    if (delta.version <= this.version) return "known";
    if (!isSameVersion(delta.base, this.#version)) return "behind";
    for (const change of delta.changes) {
      if (change.kind === "put") this.#set(change.publication);
      else this.#delete(change.registId);
    }
    this.#moveTo(delta);
    return "applied";
  }

  /** The list is not pushed any more. */
  release(): void {
    this.#view?.kept?.drop();
  }

  #moveTo({ version, origin }: DatumVersion): void {
    this.release();
    this.#version = { version, origin };
    this.#view = undefined;
    if (!this.namesRevisions) this.#setView(this.#publications);
  }

  #setView(publications: ReadonlyMap<string, Publication>): void {
    this.#view = { kept: undefined, serviceKey: this.serviceKey, version: this.version, publications };
  }

  #set(publication: Publication): void {
    const { registId } = publication;
    if (this.namesRevisions) this.#uncount(registId);
    this.#publications.set(registId, publication);
    for (const id of revisionsNamedBy(publication)) {
      if (this.#named === NO_NAMES) this.#named = new Map();
      this.#named.set(id, (this.#named.get(id) ?? 0) + 1);
    }
  }

  #delete(registId: string): void {
    if (this.namesRevisions) this.#uncount(registId);
    this.#publications.delete(registId);
  }

  /** The publication under this registId, if there is one, names nothing any more. */
  #uncount(registId: string): void {
    const publication = this.#publications.get(registId);
    if (publication === undefined) return;
    for (const id of revisionsNamedBy(publication)) {
      const count = this.#named.get(id) ?? 0;
      if (count > 1) this.#named.set(id, count - 1);
      else this.#named.delete(id);
    }
  }
}

const NO_NAMES = new Map<string, number>();

function names(publication: Publication, revisions: ReadonlySet<string>): boolean {
  return revisionsNamedBy(publication).some((id) => revisions.has(id));
}

/**
 * Whether `next` follows `known` in spite of its lower version: `known` comes from a leader whose clock was days ahead.
 * The next leader does not continue above a version that no clock can have given, and its list is right for every
 * subscriber that has not seen the other.
 */
export function isFromAfar(next: DatumVersion, known: DatumVersion, nowMs: number): boolean {
  const isLater = next.origin > known.origin && isCredible(next.version, nowMs);
  return isLater && !isCredible(known.version, nowMs);
}
