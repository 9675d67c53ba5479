// The sessions that are told which applications offer a service. Every meta node knows them, so that a new leader tells
// them what they may have missed.

import type { Member } from "../cluster/messages/membership.ts";
import { keyOf } from "./membership.ts";

// A session keeps half as many; this only keeps a broken one from filling the memory.
const WATCHES_MAX = 100_000;

interface Watcher {
  readonly member: Member;
  readonly services: Set<string>;
}

export class ServiceAppsWatchers {
  readonly #byKey = new Map<string, Watcher>();

  watch(member: Member, services: readonly string[]): void {
    const key = keyOf(member);
    const watcher = this.#byKey.get(key) ?? { member, services: new Set() };
    this.#byKey.set(key, watcher);
    for (const service of services) if (watcher.services.size < WATCHES_MAX) watcher.services.add(service);
  }

  unwatch(member: Member, services: readonly string[]): void {
    const watcher = this.#byKey.get(keyOf(member));
    for (const service of services) watcher?.services.delete(service);
    if (watcher?.services.size === 0) this.#byKey.delete(keyOf(member));
  }

  ended(member: Member): void {
    this.#byKey.delete(keyOf(member));
  }

  all(): Iterable<Watcher> {
    return this.#byKey.values();
  }

  /** Those of the services that each session watches, for the sessions that watch any. */
  *of(services: readonly string[]): Generator<readonly [Member, readonly string[]]> {
    for (const { member, services: watched } of this.#byKey.values()) {
      const some = services.filter((service) => watched.has(service));
      if (some.length > 0) yield [member, some];
    }
  }
}
