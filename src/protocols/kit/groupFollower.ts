// Follows the lists of all services of the default namespace and group: the catalogue names the services, and a
// question that waits for the next version keeps each list up to date. Answers come within a step of the registry, so
// the next question is asked later.

import { type CatalogueEntry, groupScope } from "../../model/catalogue.ts";
import type { ServiceKey } from "../../model/ids.ts";
import { ANY_NAME } from "../../model/namePattern.ts";
import { NO_VERSION } from "../../model/version.ts";
import type { CatalogueAnswer, CatalogueAsker } from "../../registry/catalogue.ts";
import type { Asker, QueryAnswer, Registry, ServiceView } from "../../registry/registry.ts";

interface Parts {
  readonly registry: Pick<Registry, "step">;
  readonly nowMs: () => number;
  readonly later: (run: () => void) => void;
}

/** The side that is told. */
export interface GroupListener {
  /**
   * The newest list of a service, and its version; undefined: the service is gone. The list is valid during the call.
   */
  listed(serviceKey: ServiceKey, publications: ServiceView["publications"] | undefined, version: bigint): void;
  /** It is known, or shown, or both at once. */
  settled(): void;
}

/** A service whose list is followed. */
interface Followed {
  readonly serviceKey: ServiceKey;
  readonly asker: Asker;
  version: bigint;
  /** Its first list has come. */
  isKnown: boolean;
  isWaiting: boolean;
}

const SCOPE = groupScope({ namespace: "", group: "" });
// As many as a session holds.
const ENTRIES_MAX = 250_000;
const CATALOGUE_MS = 5_000;
// A first list comes in a moment, or not before its slot is served.
const FIRST_LIST_MS = 10_000;
// The session keeps a list for a minute after the last question.
const NEXT_LIST_MS = 50_000;
const RETRY_MS = 1_000;
// A question takes some ten microseconds.
const QUESTIONS_AT_ONCE = 500;

export class GroupFollower {
  readonly #parts: Parts;
  readonly #listener: GroupListener;
  readonly #services = new Map<ServiceKey, Followed>();
  /** Those whose next question is to be asked now, and after a pause. */
  readonly #toAsk = new Set<Followed>();
  readonly #toRetry = new Set<Followed>();
  readonly #catalogue: CatalogueAsker;
  #catalogueMs = Number.NEGATIVE_INFINITY;
  #isCatalogueWhole = false;
  /** The session could not answer, or tells no changes any more: the scope has too many services. */
  #isRefused = false;
  /** The services whose lists are held since a restart. */
  #unshown = 0;
  #unknown = 0;
  #isKnown = false;
  #isShown = false;
  #isAsking = false;
  #isClosed = false;

  constructor(parts: Parts, listener: GroupListener) {
    this.#parts = parts;
    this.#listener = listener;
    this.#catalogue = {
      answer: (answer) => this.#catalogued(answer),
      changed: (entries) => {
        for (const entry of entries) this.#named(entry);
      },
    };
  }

  /** The list of each service has come, except for those that are held since a restart. */
  get isKnown(): boolean {
    return this.#isKnown;
  }

  /** The list of each service has come. */
  get isShown(): boolean {
    return this.#isShown;
  }

  /** Begins to follow. Not within a step of the registry. */
  start(): void {
    this.#askCatalogue(this.#parts.nowMs());
  }

  /** Asks again where no answer came. Called twice a second, not within a step of the registry. */
  check(nowMs: number): void {
    const retryMs = this.#isCatalogueWhole ? RETRY_MS : CATALOGUE_MS + RETRY_MS;
    const isSettled = this.#isShown && !this.#isRefused;
    if (!isSettled && nowMs >= this.#catalogueMs + retryMs) this.#askCatalogue(nowMs);
    for (const service of this.#toRetry) this.#toAsk.add(service);
    this.#toRetry.clear();
    this.#ask();
  }

  /**
   * Takes the newest list of one service, and calls `then` when that was done or can't be done in time. Not within a
   * step of the registry.
   */
  refresh(serviceKey: ServiceKey, untilMs: number, then: () => void): void {
    if (this.#isClosed) return then();
    const service = this.#services.get(serviceKey) ?? this.#follow(serviceKey);
    const asker: Asker = {
      answer: (answer) => {
        if (answer.kind === "list") this.#take(service, answer.view);
        then();
      },
    };
    this.#parts.registry.step({ kind: "asked", asker, serviceKey, since: NO_VERSION, untilMs }, this.#parts.nowMs());
  }

  /** Follows no more. Not within a step of the registry. */
  close(): void {
    this.#isClosed = true;
    const nowMs = this.#parts.nowMs();
    this.#parts.registry.step({ kind: "gaveUpCatalogue", asker: this.#catalogue }, nowMs);
    for (const service of this.#services.values()) this.#giveUp(service, nowMs);
    this.#services.clear();
  }

  #askCatalogue(nowMs: number): void {
    const { registry } = this.#parts;
    this.#catalogueMs = nowMs;
    registry.step({ kind: "gaveUpCatalogue", asker: this.#catalogue }, nowMs);
    const asked = { asker: this.#catalogue, scope: SCOPE, pattern: ANY_NAME, entriesMax: ENTRIES_MAX } as const;
    registry.step({ kind: "askedCatalogue", ...asked, untilMs: nowMs + CATALOGUE_MS, isStanding: true }, nowMs);
  }

  #catalogued(answer: CatalogueAnswer): void {
    this.#isRefused = answer.kind === "failed";
    if (this.#isClosed || answer.kind === "failed") return;
    for (const entry of answer.entries) this.#named(entry);
    this.#isCatalogueWhole = answer.isWhole;
    this.#unshown = answer.unshown;
    this.#settle();
  }

  #named({ serviceKey, version, size }: CatalogueEntry): void {
    if (this.#isClosed) return;
    const known = this.#services.get(serviceKey);
    if (size > 0) {
      if (known === undefined) this.#follow(serviceKey);
      return;
    }
    // A list that is newer than the catalogue counts.
    if (known === undefined || version < known.version) return;
    this.#services.delete(serviceKey);
    this.#toAsk.delete(known);
    this.#toRetry.delete(known);
    if (known.isWaiting) this.#parts.later(() => this.#giveUp(known, this.#parts.nowMs()));
    if (!known.isKnown) this.#unknown--;
    this.#listener.listed(serviceKey, undefined, version);
    this.#settle();
  }

  #follow(serviceKey: ServiceKey): Followed {
    const asker: Asker = { answer: (answer) => this.#answered(service, answer) };
    const service: Followed = { serviceKey, asker, version: NO_VERSION, isKnown: false, isWaiting: false };
    this.#services.set(serviceKey, service);
    this.#unknown++;
    this.#askLater(service);
    return service;
  }

  #answered(service: Followed, answer: QueryAnswer): void {
    service.isWaiting = false;
    if (this.#services.get(service.serviceKey) !== service) return;
    if (answer.kind === "failed") return void this.#toRetry.add(service);
    this.#take(service, answer.view);
    this.#askLater(service);
  }

  #take(service: Followed, { serviceKey, version, publications }: ServiceView): void {
    if (this.#services.get(serviceKey) !== service || (service.isKnown && version <= service.version)) return;
    service.version = version;
    if (!service.isKnown) this.#unknown--;
    service.isKnown = true;
    this.#listener.listed(serviceKey, publications, version);
    this.#settle();
  }

  #settle(): void {
    if (this.#isShown || !this.#isCatalogueWhole || this.#unknown > 0) return;
    this.#isKnown = true;
    this.#isShown = this.#unshown === 0;
    this.#listener.settled();
  }

  #askLater(service: Followed): void {
    this.#toAsk.add(service);
    this.#continue();
  }

  #continue(): void {
    if (this.#isAsking) return;
    this.#isAsking = true;
    this.#parts.later(() => {
      this.#isAsking = false;
      this.#ask();
    });
  }

  #ask(): void {
    const nowMs = this.#parts.nowMs();
    let left = QUESTIONS_AT_ONCE;
    for (const service of this.#toAsk) {
      if (left-- === 0) return this.#continue();
      this.#toAsk.delete(service);
      if (service.isWaiting || this.#isClosed) continue;
      service.isWaiting = true;
      const { serviceKey, asker, version: since, isKnown } = service;
      const untilMs = nowMs + (isKnown ? NEXT_LIST_MS : FIRST_LIST_MS);
      this.#parts.registry.step({ kind: "asked", asker, serviceKey, since, untilMs }, nowMs);
    }
  }

  #giveUp({ asker }: Followed, nowMs: number): void {
    this.#parts.registry.step({ kind: "gaveUp", asker }, nowMs);
  }
}
