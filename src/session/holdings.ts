// The publications that this session reports, by service and by slot: with the size of each in its service's list, and
// with a digest of each slot, so that a data node can be compared at any time. A claim that waits behind another
// client's holding is not among them.

import { defined } from "../base/assert.ts";
import type { InventoryEntry } from "../cluster/messages/sessionData.ts";
import type { SlotDigest } from "../cluster/messages/slotDigest.ts";
import type { ServiceKey } from "../model/ids.ts";
import { listBytesOf } from "../model/listBytes.ts";
import type { Publication, Stamp } from "../model/publication.ts";
import { RegistrationDigest } from "../model/registrationDigest.ts";
import { slotOf } from "../model/slot.ts";
import type { HeldPublication } from "./client.ts";
import { type PublicationState, reported } from "./publicationState.ts";

interface ServiceHoldings {
  readonly publications: Map<string, HeldPublication>;
  /** Their size in the list of the service. */
  listBytes: number;
  /** Undefined until the slot count is known. */
  slot: SlotHoldings | undefined;
}

interface SlotHoldings {
  readonly digest: RegistrationDigest;
  /** The services of the slot with holdings. */
  readonly services: Set<ServiceHoldings>;
}

export class Holdings {
  readonly #services = new Map<ServiceKey, ServiceHoldings>();
  readonly #slots = new Map<number, SlotHoldings>();
  #slotCount: number | undefined;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  *all(): Generator<HeldPublication> {
    for (const { publications } of this.#services.values()) yield* publications.values();
  }

  /** The services with holdings. */
  services(): Iterable<ServiceKey> {
    return this.#services.keys();
  }

  ofService(serviceKey: ServiceKey): Iterable<HeldPublication> {
    return this.#services.get(serviceKey)?.publications.values() ?? [];
  }

  /** The cluster's slot count is known now. */
  divide(slotCount: number): void {
    if (this.#slotCount !== undefined) return;
    this.#slotCount = slotCount;
    for (const [serviceKey, service] of this.#services) {
      service.slot = this.#slotWith(serviceKey, service);
      for (const { publication, state } of service.publications.values()) {
        digest(service, "add", publication, reported(publication, state));
      }
    }
  }

  find({ serviceKey, registId }: { serviceKey: ServiceKey; registId: string }): HeldPublication | undefined {
    return this.#services.get(serviceKey)?.publications.get(registId);
  }

  add(held: HeldPublication): void {
    const { publication, state } = held;
    const { serviceKey, registId, payload } = publication;
    const service = this.#services.get(serviceKey) ?? this.#newService(serviceKey);
    service.publications.set(registId, held);
    this.#size++;
    service.listBytes += listBytesOf(payload);
    digest(service, "add", publication, reported(publication, state));
  }

  /** Gives a holding another state and publication. */
  change(held: HeldPublication, state: PublicationState, publication: Publication): void {
    const before = reported(held.publication, held.state);
    const after = reported(publication, state);
    if (after !== before || publication !== held.publication) {
      const service = defined(this.#services.get(publication.serviceKey), "a holding is among those of its service");
      digest(service, "remove", held.publication, before);
      digest(service, "add", publication, after);
      if (publication.payload !== held.publication.payload) {
        service.listBytes += listBytesOf(publication.payload) - listBytesOf(held.publication.payload);
      }
    }
    held.publication = publication;
    held.state = state;
  }

  /** Takes out a holding, if it is there. */
  delete({ publication, state }: HeldPublication): void {
    const { serviceKey, registId, payload } = publication;
    const service = this.#services.get(serviceKey);
    if (service?.publications.delete(registId) !== true) return;
    this.#size--;
    service.listBytes -= listBytesOf(payload);
    digest(service, "remove", publication, reported(publication, state));
    if (service.publications.size > 0) return;
    this.#services.delete(serviceKey);
    service.slot?.services.delete(service);
  }

  /** Whether the service is in one of these slots; false until the slot count is known. */
  isIn(slots: ReadonlySet<number>, serviceKey: ServiceKey): boolean {
    return this.#slotCount !== undefined && slots.has(slotOf(serviceKey, this.#slotCount));
  }

  /** The size of the service's holdings in its list. */
  listBytesOf(serviceKey: ServiceKey): number {
    return this.#services.get(serviceKey)?.listBytes ?? 0;
  }

  digestOf(slot: number): SlotDigest {
    const digest = this.#slots.get(slot)?.digest;
    return { slot, count: digest?.count ?? 0, digest: digest?.value ?? 0n };
  }

  /**
   * The entries that the slot's digest sums up, and those of `sent` publications, which may be contested or unlisted
   * ones that are tried again.
   */
  inventoryOf(slot: number, sent: ReadonlySet<Publication>): InventoryEntry[] {
    const entries: InventoryEntry[] = [];
    for (const service of this.#slots.get(slot)?.services ?? []) {
      for (const { publication, state } of service.publications.values()) {
        const stamp = sent.has(publication) ? publication : reported(publication, state);
        if (stamp !== undefined) entries.push(entryOf(publication, stamp));
      }
    }
    return entries;
  }

  #newService(serviceKey: ServiceKey): ServiceHoldings {
    const service: ServiceHoldings = { publications: new Map(), listBytes: 0, slot: undefined };
    service.slot = this.#slotWith(serviceKey, service);
    this.#services.set(serviceKey, service);
    return service;
  }

  /** The service's slot, which has the service from now on; undefined until the slot count is known. */
  #slotWith(serviceKey: ServiceKey, service: ServiceHoldings): SlotHoldings | undefined {
    if (this.#slotCount === undefined) return undefined;
    const slot = slotOf(serviceKey, this.#slotCount);
    const holdings = this.#slots.get(slot) ?? { digest: new RegistrationDigest(), services: new Set() };
    this.#slots.set(slot, holdings);
    holdings.services.add(service);
    return holdings;
  }
}

/** The slot's digest sums up the reported stamps of all holdings. */
function digest(
  { slot }: ServiceHoldings,
  change: "add" | "remove",
  publication: Publication,
  stamp: Stamp | undefined,
): void {
  if (slot === undefined || stamp === undefined) return;
  // Nearly always the stamp is the publication itself, which has all that a digest reads.
  slot.digest[change](stamp === publication ? publication : entryOf(publication, stamp));
}

function entryOf({ serviceKey, registId }: Publication, { version, registeredMs }: Stamp): InventoryEntry {
  return { serviceKey, registId, version, registeredMs };
}
