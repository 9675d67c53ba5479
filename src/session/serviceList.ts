// The session's copy of one service's list. It moves from one whole version to the next: a delta is applied only on
// exactly the version at which it begins; anything else is a reason to fetch.

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

  /** The list to push; undefined until the first one has come. */
  get view(): ServiceView | undefined {
    return this.#view;
  }

  /** Takes a whole list. False if it is not newer than this one. */
  replace(snapshot: DatumSnapshot, nowMs: number): boolean {
    if (snapshot.version <= this.version && !isFromAfar(snapshot, this.#version, nowMs)) return false;
    this.#publications = new Map(snapshot.publications.map((publication) => [publication.registId, publication]));
    this.#moveTo(snapshot);
    return true;
  }

  /** Takes a delta. `behind` means that this list is not at the version at which the delta begins. */
  apply(delta: DatumDelta): "applied" | "known" | "behind" {
    if (delta.version <= this.version) return "known";
    if (!isSameVersion(delta.base, this.#version)) return "behind";
    for (const change of delta.changes) {
      if (change.kind === "put") this.#publications.set(change.publication.registId, change.publication);
      else this.#publications.delete(change.registId);
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
    this.#view = { kept: undefined, serviceKey: this.serviceKey, version, publications: this.#publications };
  }
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
