// What this session's clients publish. The session is the source of truth for it: whatever a data node loses, it gets
// again from here. Kept by slot too, with a digest of each, so that a data node can be compared with it at any time.

import { HELD } from "../base/budget.ts";
import type { RegistryError } from "../base/errors.ts";
import type { InventoryEntry, Removal, SlotDigest, Superseded } from "../messages/sessionData.ts";
import type { DataInfoId, NodeId } from "../model/ids.ts";
import { compareStamps, type Publication } from "../model/publication.ts";
import { RegistrationDigest } from "../model/registrationDigest.ts";
import { slotOf } from "../model/slot.ts";
import type { Client, HeldPublication } from "./client.ts";
import type { Costs } from "./costs.ts";
import type { PublishRequest, RegistrationKey } from "./registry.ts";

/** What became of a publish request. */
export interface Taken {
  readonly publication: Publication;
  /** Who held this registration until now, if it was another client. */
  readonly before: Client | undefined;
}

/** What became of an unpublish request. */
export interface Unpublished {
  readonly removal: Removal;
  /** Who held the registration until now. */
  readonly before: Client | undefined;
}

/** What is held of one service. */
interface ServiceHoldings {
  readonly publications: Map<string, HeldPublication>;
  /** Undefined until the slot count is known. */
  slot: SlotHoldings | undefined;
}

interface SlotHoldings {
  readonly slot: number;
  readonly digest: RegistrationDigest;
  /** Those of the slot of which something is held. */
  readonly services: Set<ServiceHoldings>;
}

export class Publications {
  readonly #session: NodeId;
  readonly #costs: Costs;
  readonly #services = new Map<DataInfoId, ServiceHoldings>();
  readonly #slots = new Map<number, SlotHoldings>();
  #slotCount: number | undefined;
  #size = 0;

  constructor(session: NodeId, costs: Costs) {
    this.#session = session;
    this.#costs = costs;
  }

  get size(): number {
    return this.#size;
  }

  /** The cluster's slot count is known now. */
  divide(slotCount: number): void {
    if (this.#slotCount !== undefined) return;
    this.#slotCount = slotCount;
    for (const [dataInfoId, service] of this.#services) {
      service.slot = this.#slotWith(dataInfoId, service);
      for (const held of service.publications.values()) digest(service, held, "add");
    }
  }

  /** What is held of a registration, by whichever client. */
  held(key: { dataInfoId: DataInfoId; registId: string }): HeldPublication | undefined {
    return this.#find(key);
  }

  /**
   * Stores a publication; undefined if a newer version of the same registration is held, and an error if it would be
   * too much.
   */
  put(
    client: Client,
    request: PublishRequest,
    nowMs: number,
    held = this.#find(request),
  ): Taken | RegistryError | undefined {
    if (held !== undefined && isOlder(client, request, held)) return undefined;
    const bytes = this.#costs.publication(request);
    const before = held && { account: held.client.account, bytes: held.bytes };
    const refusal = client.account.replace(HELD.registrations, bytes, before);
    if (refusal !== undefined) return refusal;
    const publication: Publication = {
      dataInfoId: request.dataInfoId,
      registId: request.registId,
      version: request.version,
      registeredMs: laterThan(held, nowMs),
      owner: { session: this.#session, client: client.id },
      zone: request.zone,
      appName: request.appName,
      attributes: request.attributes,
      payload: request.payload,
    };
    if (held === undefined) {
      this.#add({ publication, client, bytes, state: "new" });
      return { publication, before: undefined };
    }
    const holder = held.client;
    held.bytes = bytes;
    this.#change(held, publication, "new");
    this.#handOver(held, client);
    return { publication, before: holder === client ? undefined : holder };
  }

  /**
   * Takes a registration back; undefined if a newer version of it is held. Unknown ones are removed too: another
   * session may hold them.
   */
  unpublish(key: RegistrationKey, nowMs: number): Unpublished | undefined {
    const held = this.#find(key);
    if (held !== undefined && held.publication.version > key.version) return undefined;
    if (held !== undefined) this.#delete(held);
    const { dataInfoId, registId, version } = key;
    const stamp = { version, registeredMs: laterThan(held, nowMs) };
    return { removal: { dataInfoId, registId, cause: "unpublished", stamp }, before: held?.client };
  }

  /** A data node has taken this publication, if it is still the newest here. */
  taken(publication: Publication): void {
    const held = this.#find(publication);
    const isOpen = held?.state === "new" || held?.state === "restamped";
    if (isOpen && held.publication === publication) held.state = "taken";
  }

  /**
   * A data node knows something newer than what it was sent. The registration of a client that is here is given a later
   * time and returned, to be published again, if what won is the removal of somebody who was taken for dead, or if it
   * is its client's last word and lost by the clock of another session alone; the latter once, or two clients with one
   * registId would go on for ever. One that a data node had taken before was outrun by the client's own return at
   * another session, although its connection here may seem to stand; it is still compared, so that it is there should
   * that other one end.
   */
  superseded({ dataInfoId, registId, stamp, by, isRemoved }: Superseded): Publication | undefined {
    const held = this.#find({ dataInfoId, registId });
    if (held === undefined || compareStamps(held.publication, stamp) !== 0) return undefined;
    const isHere = held.client.departedMs === undefined;
    if (by.version !== stamp.version || !isHere) {
      this.#change(held, held.publication, "superseded");
      return undefined;
    }
    if (!isRemoved && held.state !== "new") {
      this.#change(held, held.publication, "outrun");
      return undefined;
    }
    this.#change(held, { ...held.publication, registeredMs: by.registeredMs + 1 }, "restamped");
    return held.publication;
  }

  /**
   * Drops up to `max` of what a client that is gone still holds. Each removal names the very registration that it
   * removes.
   */
  dropSome(client: Client, max: number): Removal[] {
    const removals: Removal[] = [];
    for (const held of client.publications) {
      if (removals.length === max) break;
      this.#delete(held);
      const { dataInfoId, registId, version, registeredMs } = held.publication;
      removals.push({ dataInfoId, registId, cause: "left", stamp: { version, registeredMs } });
    }
    return removals;
  }

  /**
   * A client is gone whose connection had been closed for long when it was noticed. What it published at `sinceMs` or
   * later, and no data node has taken, is not spoken of any more: the client may have moved on since. Returns that.
   */
  withdraw(client: Client, sinceMs: number): Publication[] {
    const late = [...client.publications].filter(
      ({ state, publication }) => state === "new" && publication.registeredMs >= Math.floor(sinceMs),
    );
    for (const held of late) this.#change(held, held.publication, "superseded");
    return late.map(({ publication }) => publication);
  }

  get({ dataInfoId, registId }: { dataInfoId: DataInfoId; registId: string }): Publication | undefined {
    return this.#find({ dataInfoId, registId })?.publication;
  }

  digestOf(slot: number): SlotDigest {
    const digest = this.#slots.get(slot)?.digest;
    return { slot, count: digest?.count ?? 0, digest: digest?.value ?? 0n };
  }

  /** What the digest of the slot sums up. */
  inventoryOf(slot: number): InventoryEntry[] {
    const entries: InventoryEntry[] = [];
    for (const service of this.#slots.get(slot)?.services ?? []) {
      for (const { publication, state } of service.publications.values()) {
        const { dataInfoId, registId, version, registeredMs } = publication;
        if (state !== "superseded") entries.push({ dataInfoId, registId, version, registeredMs });
      }
    }
    return entries;
  }

  #find({ dataInfoId, registId }: { dataInfoId: DataInfoId; registId: string }): HeldPublication | undefined {
    return this.#services.get(dataInfoId)?.publications.get(registId);
  }

  #add(held: HeldPublication): void {
    const { dataInfoId, registId } = held.publication;
    const service = this.#services.get(dataInfoId) ?? this.#newService(dataInfoId);
    service.publications.set(registId, held);
    this.#size++;
    held.client.publications.add(held);
    digest(service, held, "add");
  }

  #newService(dataInfoId: DataInfoId): ServiceHoldings {
    const service: ServiceHoldings = { publications: new Map(), slot: undefined };
    service.slot = this.#slotWith(dataInfoId, service);
    this.#services.set(dataInfoId, service);
    return service;
  }

  /** The service's slot, which has the service from now on; undefined until the slot count is known. */
  #slotWith(dataInfoId: DataInfoId, service: ServiceHoldings): SlotHoldings | undefined {
    if (this.#slotCount === undefined) return undefined;
    const slot = slotOf(dataInfoId, this.#slotCount);
    const holdings = this.#slots.get(slot) ?? { slot, digest: new RegistrationDigest(), services: new Set() };
    this.#slots.set(slot, holdings);
    holdings.services.add(service);
    return holdings;
  }

  #change(held: HeldPublication, publication: Publication, state: HeldPublication["state"]): void {
    const service = this.#services.get(held.publication.dataInfoId);
    if (service !== undefined) digest(service, held, "remove");
    held.publication = publication;
    held.state = state;
    if (service !== undefined) digest(service, held, "add");
  }

  #handOver(held: HeldPublication, to: Client): void {
    held.client.publications.delete(held);
    held.client = to;
    to.publications.add(held);
  }

  #delete(held: HeldPublication): void {
    const { dataInfoId, registId } = held.publication;
    held.client.publications.delete(held);
    const service = this.#services.get(dataInfoId);
    if (service?.publications.delete(registId) !== true) return;
    this.#size--;
    held.client.account.release(HELD.registrations, held.bytes);
    digest(service, held, "remove");
    if (service.publications.size > 0) return;
    this.#services.delete(dataInfoId);
    const { slot } = service;
    slot?.services.delete(service);
    if (slot?.services.size === 0) this.#slots.delete(slot.slot);
  }
}

/** The slot's digest sums up all that is spoken of. */
function digest({ slot }: ServiceHoldings, { publication, state }: HeldPublication, change: "add" | "remove"): void {
  if (state !== "superseded") slot?.digest[change](publication);
}

// A client that comes back repeats its version on a new connection; what the old one still had under way may arrive
// after that, and must not take the registration away from the living connection.
function isOlder(client: Client, request: PublishRequest, { publication, client: holder }: HeldPublication): boolean {
  if (publication.version !== request.version) return publication.version > request.version;
  return holder.order > client.order && holder.departedMs === undefined;
}

// Two registrations of one version differ by their time alone, so the second must be later even within one millisecond.
function laterThan(held: HeldPublication | undefined, nowMs: number): number {
  const time = Math.floor(nowMs);
  return held === undefined ? time : Math.max(time, held.publication.registeredMs + 1);
}
