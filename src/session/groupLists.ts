// Followers of whole groups: each has a standing question about the catalogue, and the session keeps the list of each
// service that it names, like those with subscribers. A list that several followers share is kept once. The catalogue's
// comparison and the version scan find changes that were lost on the way.

import { Deadlines } from "../base/deadlines.ts";
import { fail, type RegistryError } from "../base/errors.ts";
import type { CatalogueEntry } from "../model/catalogue.ts";
import type { ServiceKey } from "../model/ids.ts";
import type { CatalogueAnswer, CatalogueAsker } from "../registry/catalogue.ts";
import type { GroupEvent, GroupFollower } from "../registry/registry.ts";
import type { Catalogues } from "./catalogues.ts";
import type { ServiceLists } from "./serviceLists.ts";
import type { SubscribedService, Subscriptions } from "./subscriptions.ts";

// Gateways have one for each group that their clients ask for.
const FOLLOWERS_MAX = 64;
// Of all followers together: some 300 MB of lists, and as many services as a session keeps for pollers.
const SERVICES_MAX = 10_000;
const PUBLISHERS_MAX = 300_000;

type Followed = Extract<GroupEvent, { readonly kind: "followedGroup" }>;

interface Following {
  readonly asker: GroupFollower;
  readonly catalogue: CatalogueAsker;
  readonly scope: Followed["scope"];
  readonly untilMs: number;
  /** The services that the catalogue names. */
  readonly services: Set<SubscribedService>;
  /** Those of them that have no list yet; undefined until the catalogue has answered. */
  awaited: Set<SubscribedService> | undefined;
  isWhole: boolean;
  hasBegun: boolean;
}

interface Parts {
  readonly catalogues: Pick<Catalogues, "step">;
  readonly subscriptions: Pick<Subscriptions, "open">;
  readonly lists: Pick<ServiceLists, "fetch" | "releaseUnused">;
}

export class GroupLists {
  readonly #parts: Parts;
  readonly #following = new Map<GroupFollower, Following>();
  readonly #byService = new Map<SubscribedService, Set<Following>>();
  /** The publishers of each followed service, by the catalogue. */
  readonly #publishers = new Map<SubscribedService, number>();
  readonly #ends = new Deadlines<Following>();
  #publishersInAll = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** The number of services whose lists are kept for followers. */
  get services(): number {
    return this.#byService.size;
  }

  step(event: GroupEvent, nowMs: number): void {
    if (event.kind === "followedGroup") return this.#follow(event, nowMs);
    const following = this.#following.get(event.asker);
    if (following !== undefined) this.#end(following, nowMs);
  }

  /** The service has a newer list. */
  changed(service: SubscribedService): void {
    const { view } = service.list;
    if (view === undefined) return;
    for (const following of [...(this.#byService.get(service) ?? [])]) {
      following.asker.listed(view);
      following.awaited?.delete(service);
      this.#beginIfWhole(following);
    }
  }

  nextMs(): number {
    return this.#ends.nextMs();
  }

  /** Followers that have waited for long begin with what there is. */
  wake(nowMs: number): void {
    for (let due = this.#ends.take(nowMs); due !== undefined; due = this.#ends.take(nowMs)) this.#begin(due, false);
  }

  #follow({ asker, scope, pattern, untilMs }: Followed, nowMs: number): void {
    if (this.#following.size >= FOLLOWERS_MAX) {
      return asker.failed(fail("QUERIES_EXHAUSTED", { waiting: this.#following.size }));
    }
    const catalogue: CatalogueAsker = {
      answer: (answer) => this.#answered(following, answer, nowMs),
      changed: (entries) => this.#named(following, entries, nowMs),
    };
    const begins = { services: new Set<SubscribedService>(), awaited: undefined, isWhole: false, hasBegun: false };
    const following: Following = { asker, catalogue, scope, untilMs, ...begins };
    this.#following.set(asker, following);
    this.#ends.set(following, untilMs);
    const question = { scope, pattern, entriesMax: Number.POSITIVE_INFINITY, untilMs, isStanding: true };
    this.#parts.catalogues.step({ kind: "askedCatalogue", asker: catalogue, ...question }, nowMs);
  }

  #answered(following: Following, answer: CatalogueAnswer, nowMs: number): void {
    if (answer.kind === "failed") return this.#fail(following, answer.error, nowMs);
    following.awaited = new Set();
    following.isWhole = answer.isWhole;
    this.#named(following, answer.entries, nowMs);
    if (this.#following.has(following.asker)) this.#beginIfWhole(following);
  }

  /** The catalogue names these services, or those with no publisher no more. */
  #named(following: Following, entries: readonly CatalogueEntry[], nowMs: number): void {
    const released: ServiceKey[] = [];
    for (const { serviceKey, size } of entries) {
      const service = this.#parts.subscriptions.open(serviceKey);
      if (size > 0) this.#add(following, service, size);
      else if (this.#remove(following, service)) {
        released.push(serviceKey);
        following.asker.gone(serviceKey);
      }
    }
    this.#parts.lists.releaseUnused(released);
    if (this.#byService.size <= SERVICES_MAX && this.#publishersInAll <= PUBLISHERS_MAX) {
      return this.#beginIfWhole(following);
    }
    const bounds = { servicesMax: SERVICES_MAX, publishersMax: PUBLISHERS_MAX };
    this.#fail(following, fail("CATALOGUE_TOO_LARGE", { scope: following.scope, ...bounds }), nowMs);
  }

  #add(following: Following, service: SubscribedService, size: number): void {
    this.#publishersInAll += size - (this.#publishers.get(service) ?? 0);
    this.#publishers.set(service, size);
    if (following.services.has(service)) return;
    following.services.add(service);
    const followers = this.#byService.get(service) ?? new Set();
    this.#byService.set(service, followers.add(following));
    service.isFollowed = true;
    const { view } = service.list;
    if (view !== undefined) return following.asker.listed(view);
    if (!following.hasBegun) following.awaited?.add(service);
    this.#parts.lists.fetch(service);
  }

  /** Returns false if the follower did not have it. */
  #remove(following: Following, service: SubscribedService): boolean {
    if (!following.services.delete(service)) return false;
    following.awaited?.delete(service);
    const followers = this.#byService.get(service);
    followers?.delete(following);
    if (followers === undefined || followers.size > 0) return true;
    this.#byService.delete(service);
    this.#publishersInAll -= this.#publishers.get(service) ?? 0;
    this.#publishers.delete(service);
    service.isFollowed = false;
    return true;
  }

  #beginIfWhole(following: Following): void {
    if (following.awaited?.size === 0) this.#begin(following, following.isWhole);
  }

  #begin(following: Following, isWhole: boolean): void {
    if (following.hasBegun) return;
    following.hasBegun = true;
    this.#ends.delete(following);
    following.asker.begun(isWhole);
  }

  #fail(following: Following, error: RegistryError, nowMs: number): void {
    if (!this.#following.has(following.asker)) return;
    this.#end(following, nowMs);
    following.asker.failed(error);
  }

  #end(following: Following, nowMs: number): void {
    this.#following.delete(following.asker);
    this.#ends.delete(following);
    this.#parts.catalogues.step({ kind: "gaveUpCatalogue", asker: following.catalogue }, nowMs);
    const services = [...following.services];
    for (const service of services) this.#remove(following, service);
    this.#parts.lists.releaseUnused(services.map(({ serviceKey }) => serviceKey));
  }
}
