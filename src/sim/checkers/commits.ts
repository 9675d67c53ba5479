// The commits of the data nodes, version by version, read off their messages: a snapshot contains its version outright,
// a delta adds to its base. Every list shown under a version must be exactly this. The giver is part of a version's
// name: two leaders that do not know of each other give different numbers, except for one pair of epochs in 64.

import { stringOf } from "../../base/text.ts";
import { boxesOf } from "../../model/content.ts";
import type { DatumVersion } from "../../model/datum.ts";
import type { NodeId, ServiceKey } from "../../model/ids.ts";
import type { Publication } from "../../model/publication.ts";
import { mayCollide } from "../../model/version.ts";
import type { Fact } from "../facts.ts";

/** One registration as a version of a service shows it. */
export interface ShownRegistration {
  readonly registId: string;
  readonly version: bigint;
  readonly registeredMs: number;
  readonly zone: string;
  readonly token: string;
}

export interface Commit extends DatumVersion {
  readonly service: ServiceKey;
  /** The first node that named it. */
  readonly by: NodeId;
  readonly content: ReadonlyMap<string, ShownRegistration>;
  /** The times at which it was first named, and last seen to be the newest. */
  readonly firstMs: number;
  seenMs: number;
  /** Entries as subscribers see them, by zone; "" for all zones. */
  readonly lists: Map<string, string>;
}

/** A data node named a version. */
export interface Sighting {
  readonly commit: Commit;
  /** The newest commit before this one, if this one is new. */
  readonly before: Commit | undefined;
  readonly isNew: boolean;
  /** It is the newest now. */
  readonly isNewest: boolean;
  /** The same version, or its number, was seen with another content. */
  readonly conflict: Commit | undefined;
}

interface History {
  /** Lists of different leaders under the same number. */
  readonly byVersion: Map<bigint, Commit[]>;
  newest: Commit | undefined;
  /** The last version that each session reported. */
  readonly heldAt: Map<NodeId, Commit>;
  grewMs: number;
}

export class SeenCommits {
  readonly #services = new Map<ServiceKey, History>();
  #last: Sighting | undefined;

  /** The commit named by the last fact, if it names one. */
  get last(): Sighting | undefined {
    return this.#last;
  }

  see(fact: Fact, nowMs: number): void {
    this.#last = fact.kind === "told" ? this.#told(fact, nowMs) : undefined;
    if (fact.kind !== "asked" || fact.message.kind !== "scan") return;
    for (const [service, { version, origin }] of fact.message.versions) {
      const commit = this.at(service, version).find((one) => one.origin === origin);
      if (commit !== undefined) this.#services.get(service)?.heldAt.set(fact.from, commit);
    }
  }

  /** The lists of this number, one for each leader that gave it. */
  at(service: ServiceKey, version: bigint): readonly Commit[] {
    return this.#services.get(service)?.byVersion.get(version) ?? [];
  }

  /** The last one of the last leader. */
  newest(service: ServiceKey): Commit | undefined {
    return this.#services.get(service)?.newest;
  }

  /** The last one of the last leader, among those that fit. */
  newestOf(service: ServiceKey, fits: (commit: Commit) => boolean): Commit | undefined {
    let newest: Commit | undefined;
    for (const namesakes of this.#services.get(service)?.byVersion.values() ?? []) {
      for (const commit of namesakes) {
        if ((newest === undefined || isLater(commit, newest)) && fits(commit)) newest = commit;
      }
    }
    return newest;
  }

  /** The newest one of each service. */
  *newestOfAll(): Generator<readonly [ServiceKey, Commit]> {
    for (const [service, { newest }] of this.#services) if (newest !== undefined) yield [service, newest];
  }

  /** The session's last reported version of the service. */
  heldAt(session: NodeId, service: ServiceKey): Commit | undefined {
    return this.#services.get(service)?.heldAt.get(session);
  }

  /** The time at which a commit last showed a new registration. */
  grewMs(service: ServiceKey): number {
    return this.#services.get(service)?.grewMs ?? Number.NEGATIVE_INFINITY;
  }

  #told({ from: by, message }: Fact & { kind: "told" }, nowMs: number): Sighting | undefined {
    if (message.kind === "snapshot") {
      const { serviceKey, publications } = message.datum;
      return this.#take(serviceKey, message.datum, { by, content: new Map(publications.map(shown)), nowMs });
    }
    if (message.kind !== "delta") return undefined;
    const { serviceKey, base, changes } = message.delta;
    const from = this.at(serviceKey, base.version).find(({ origin }) => origin === base.origin);
    if (from === undefined) return undefined;
    const content = new Map(from.content);
    for (const change of changes) {
      if (change.kind === "put") content.set(...shown(change.publication));
      else content.delete(change.registId);
    }
    return this.#take(serviceKey, message.delta, { by, content, nowMs });
  }

  #take(
    service: ServiceKey,
    { version, origin }: DatumVersion,
    { by, content, nowMs }: { by: NodeId; content: Commit["content"]; nowMs: number },
  ): Sighting {
    const history = this.#historyOf(service);
    const namesakes = history.byVersion.get(version) ?? [];
    const known = namesakes.find((commit) => commit.origin === origin);
    const commit = { service, by, version, origin, content, firstMs: nowMs, seenMs: nowMs, lists: new Map() };
    if (known !== undefined) {
      if (known === history.newest) known.seenMs = nowMs;
      const isSame = listOf(known, undefined) === listOf(commit, undefined);
      const isNewest = known === history.newest;
      return { commit: known, before: undefined, isNew: false, isNewest, conflict: isSame ? undefined : commit };
    }
    history.byVersion.set(version, [...namesakes, commit]);
    const before = history.newest;
    for (const registId of content.keys()) if (before?.content.has(registId) !== true) history.grewMs = nowMs;
    const isNewest = before === undefined || isLater(commit, before);
    if (isNewest) history.newest = commit;
    const conflict = namesakes.find(
      (other) => !mayCollide(other.origin, origin) && listOf(other, undefined) !== listOf(commit, undefined),
    );
    return { commit, before, isNew: true, isNewest, conflict };
  }

  #historyOf(service: ServiceKey): History {
    const known = this.#services.get(service);
    if (known !== undefined) return known;
    const history: History = {
      byVersion: new Map(),
      newest: undefined,
      heldAt: new Map(),
      grewMs: Number.NEGATIVE_INFINITY,
    };
    this.#services.set(service, history);
    return history;
  }
}

/** By the leader first: an old leader that is no longer heard may have a clock that is far ahead. */
export function isLater(a: DatumVersion, b: DatumVersion): boolean {
  return a.origin === b.origin ? a.version > b.version : a.origin > b.origin;
}

/** The entries that a subscriber of one zone, or of all, should be shown: `zone/token`, sorted, one a line. */
export function listOf(commit: Commit, zone: string | undefined): string {
  const key = zone ?? "";
  const known = commit.lists.get(key);
  if (known !== undefined) return known;
  const entries: string[] = [];
  for (const shownOne of commit.content.values()) {
    if (zone === undefined || shownOne.zone === zone) entries.push(`${shownOne.zone}/${shownOne.token}`);
  }
  const list = entries.sort().join("\n");
  commit.lists.set(key, list);
  return list;
}

function shown(publication: Publication): [string, ShownRegistration] {
  const { registId, version, registeredMs, zone } = publication;
  return [registId, { registId, version, registeredMs, zone, token: tokenOf(publication) }];
}

/** The part of a publication that subscribers see: `registId~version~client`. */
export function tokenOf({ payload }: Pick<Publication, "payload">): string {
  const [box] = boxesOf({ payload });
  return box === undefined || box === null ? "" : (stringOf(box).split(" ")[0] ?? "");
}

/** The client of a token. */
export function clientOf(token: string): string {
  return token.slice(token.lastIndexOf("~") + 1);
}
