// Publications as objects in Maps: about 750 bytes each, and as much work for the garbage collector.

import { assert } from "../../base/assert.ts";
import { hostNumberOf, type ServiceKey } from "../../model/ids.ts";
import { listBytesOf } from "../../model/listBytes.ts";
import {
  type Condition,
  type Owner,
  type Publication,
  type Registration,
  showsTheSame,
} from "../../model/publication.ts";
import type {
  HostNumbers,
  HostSearch,
  MarkedPublication,
  PublicationMemory,
  PublicationStore,
  ServicePublications,
} from "./publicationStore.ts";

/** All on the heap, so a store knows nothing of its neighbours. */
export class PlainMemory implements PublicationMemory {
  readonly bytes = 0;
  readonly services = 0;

  store(): PublicationStore {
    return new PlainStore();
  }

  tidy(): boolean {
    return false;
  }
}

export class PlainStore implements PublicationStore {
  readonly bytes = 0;

  service(serviceKey: ServiceKey): ServicePublications {
    return new PlainService(serviceKey);
  }
}

class PlainService implements ServicePublications {
  readonly #serviceKey: ServiceKey;
  readonly #publications = new Map<string, Publication>();
  readonly #hidden = new Set<string>();

  constructor(serviceKey: ServiceKey) {
    this.#serviceKey = serviceKey;
  }

  get size(): number {
    return this.#publications.size;
  }

  get listBytes(): number {
    let bytes = 0;
    for (const { payload } of this.#publications.values()) bytes += listBytesOf(payload);
    return bytes;
  }

  listBytesOf(registId: string): number {
    const held = this.#publications.get(registId);
    return held === undefined ? 0 : listBytesOf(held.payload);
  }

  get(registId: string): Publication | undefined {
    return this.#publications.get(registId);
  }

  registration(registId: string): Registration | undefined {
    return this.#publications.get(registId);
  }

  shows(publication: Publication): boolean {
    const held = this.#publications.get(publication.registId);
    return held !== undefined && showsTheSame(held, publication);
  }

  set(publication: Publication, isHidden = false): void {
    assert(publication.serviceKey === this.#serviceKey, "a publication is kept with its service");
    this.#publications.set(publication.registId, publication);
    this.mark(publication.registId, isHidden);
  }

  delete(registId: string): boolean {
    this.#hidden.delete(registId);
    return this.#publications.delete(registId);
  }

  isHidden(registId: string): boolean {
    return this.#hidden.has(registId);
  }

  mark(registId: string, isHidden: boolean): void {
    if (isHidden && this.#publications.has(registId)) this.#hidden.add(registId);
    else this.#hidden.delete(registId);
  }

  setCondition(registId: string, condition: Condition | undefined): void {
    const held = this.#publications.get(registId);
    if (held === undefined) return;
    const { condition: before, ...rest } = held;
    this.#publications.set(registId, condition === undefined ? rest : { ...rest, condition });
  }

  values(): Iterable<Publication> {
    return this.#publications.values();
  }

  *shown(): Generator<Publication> {
    for (const held of this.#publications.values()) if (!this.#hidden.has(held.registId)) yield held;
  }

  *marked(hosts?: HostNumbers): Generator<MarkedPublication> {
    for (const { payload, ...held } of this.#publications.values()) {
      if (hosts?.has(hostNumberOf(held.owner.client)) !== false) {
        yield { ...held, isHidden: this.#hidden.has(held.registId) };
      }
    }
  }

  *registrations(wanted?: (owner: Owner) => boolean): Generator<Registration> {
    for (const held of this.#publications.values()) if (wanted === undefined || wanted(held.owner)) yield held;
  }

  searchAt(hosts: HostNumbers): HostSearch {
    return new PlainSearch(this.#publications.values(), hosts);
  }

  clear(): void {
    this.#hidden.clear();
    this.#publications.clear();
  }
}

/** A Map may change while it is iterated: what is removed is skipped, and what is added comes last. */
class PlainSearch implements HostSearch {
  readonly #rest: Iterator<Publication>;
  readonly #hosts: HostNumbers;
  looked = 0;
  isDone = false;

  constructor(rest: Iterator<Publication>, hosts: HostNumbers) {
    this.#rest = rest;
    this.#hosts = hosts;
  }

  next(max: number): Registration | undefined {
    for (this.looked = 0; this.looked < max && !this.isDone; ) {
      const { value: held, done = false } = this.#rest.next();
      this.isDone = done;
      if (done) break;
      this.looked++;
      if (this.#hosts.has(hostNumberOf(held.owner.client))) return held;
    }
    return undefined;
  }
}
