// The publications of this session's clients. The session is their source of truth: a data node that loses any gets
// them again from here. They are also kept by slot, with a digest of each, so that a data node can be compared at any
// time.

import { HELD } from "../base/budget.ts";
import type { RegistryError } from "../base/errors.ts";
import type { InventoryEntry, Removal, Superseded, Unlisted } from "../cluster/messages/sessionData.ts";
import type { SlotDigest } from "../cluster/messages/slotDigest.ts";
import { haveOneHost, type NodeId, type ServiceKey } from "../model/ids.ts";
import { listBytesOf, mayAdd } from "../model/listBytes.ts";
import { compareStamps, type Publication, type Stamp } from "../model/publication.ts";
import { RegistrationDigest } from "../model/registrationDigest.ts";
import { slotOf } from "../model/slot.ts";
import type { PublishRequest, RegistrationKey } from "../registry/registry.ts";
import { dropBehind, lineOf, mayWait } from "./claimsBehind.ts";
import type { Client, HeldPublication } from "./client.ts";
import type { Costs } from "./costs.ts";

/** The result of a publish request. */
export interface Taken {
  readonly publication: Publication;
  /** The client that held this registration until now, if it was another one. */
  readonly before: Client | undefined;
}

/** The result of an unpublish request. */
export interface Unpublished {
  readonly removal: Removal;
  /** The client that held the registration until now. */
  readonly before: Client | undefined;
}

/** The holdings of one service. */
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

// A claim is refused every two seconds while its holder is asked, and one that never answers has sixteen.
const UNANSWERED_MAX = 8;

export class Publications {
  readonly #session: NodeId;
  readonly #costs: Costs;
  readonly #services = new Map<ServiceKey, ServiceHoldings>();
  readonly #slots = new Map<number, SlotHoldings>();
  // In the order of their next try.
  readonly #unlisted = new Set<HeldPublication>();
  readonly #contested = new Set<HeldPublication>();
  // Those held by a client of the same host, of which nothing is known except that it is being asked.
  // With the number of refusals.
  readonly #unanswered = new Map<HeldPublication, number>();
  #slotCount: number | undefined;
  #size = 0;

  constructor(session: NodeId, costs: Costs) {
    this.#session = session;
    this.#costs = costs;
  }

  /** The sum of the charges for all holdings. */
  get chargedBytes(): number {
    let sum = 0;
    for (const { publications } of this.#services.values()) {
      for (const held of publications.values()) for (const { bytes } of lineOf(held)) sum += bytes;
    }
    return sum;
  }

  get size(): number {
    return this.#size;
  }

  /** The cluster's slot count is known now. */
  divide(slotCount: number): void {
    if (this.#slotCount !== undefined) return;
    this.#slotCount = slotCount;
    for (const [serviceKey, service] of this.#services) {
      service.slot = this.#slotWith(serviceKey, service);
      for (const held of service.publications.values()) digest(service, held, "add");
    }
  }

  /** The holding of a registration, by any client. */
  held(key: { serviceKey: ServiceKey; registId: string }): HeldPublication | undefined {
    return this.#find(key);
  }

  /**
   * Stores a publication; returns undefined if a newer version of the same registration is held, and an error if it
   * would be too much.
   */
  put(
    client: Client,
    request: PublishRequest,
    nowMs: number,
    held = this.#find(request),
  ): Taken | RegistryError | undefined {
    if (held !== undefined && held.state !== "contested" && isOlder(client, request, held)) return undefined;
    if (request.processId !== undefined) client.processId = request.processId;
    const bytes = this.#costs.publication(request);
    const isAside = held?.state === "contested" && mayWait(held, client, request);
    const before = held && !isAside ? { account: held.client.account, bytes: held.bytes } : undefined;
    const refusal = client.account.replace(HELD.registrations, bytes, before);
    if (refusal !== undefined) return refusal;
    const publication: Publication = {
      serviceKey: request.serviceKey,
      registId: request.registId,
      version: request.version,
      registeredMs: laterThan(held, nowMs),
      owner: { session: this.#session, client: client.id },
      zone: request.zone,
      appName: request.appName,
      attributes: request.attributes,
      payload: request.payload,
    };
    if (held === undefined || isAside) {
      if (held !== undefined) this.#takeOut(held);
      const added: HeldPublication = { ...NOTHING_MORE, publication, client, bytes, state: "new", behind: held };
      this.#add(added);
      dropBehind(added, (claim) => claim.client === client);
      return { publication, before: undefined };
    }
    const holder = held.client;
    const former = held.state === "taken" ? held.publication : held.former;
    held.bytes = bytes;
    this.#change(held, publication, "new");
    held.former = former;
    this.#handOver(held, client);
    dropBehind(held, (claim) => claim.client === client);
    return { publication, before: holder === client ? undefined : holder };
  }

  /**
   * Takes a registration back; undefined if a newer version of it is held. Unknown ones are removed too: another
   * session may hold them.
   */
  unpublish(client: Client, key: RegistrationKey, nowMs: number): Unpublished | undefined {
    const found = this.#find(key);
    // A registration for which another client waits in vain is not this client's.
    const held = found?.state === "contested" && found.client !== client ? undefined : found;
    if (held !== undefined && held.publication.version > key.version) return undefined;
    if (held !== undefined) this.#delete(held);
    const { serviceKey, registId, version } = key;
    const stamp = { version, registeredMs: laterThan(held, nowMs) };
    const removal: Removal = { serviceKey, registId, cause: "unpublished", stamp, client: client.id };
    return { removal, before: held?.client };
  }

  /**
   * The client no longer wants a registration: drops its claim behind another client's holding. Returns the holding.
   */
  dropClaim(client: Client, key: RegistrationKey): HeldPublication | undefined {
    const held = this.#find(key);
    if (held !== undefined) dropBehind(held, (claim) => claim.client === client);
    return held;
  }

  /** A data node has taken this publication, if it is still the newest here. */
  taken(publication: Publication): void {
    const held = this.#find(publication);
    if (held === undefined || held.publication !== publication) return;
    held.former = undefined;
    if (held.state === "new" || held.state === "restamped") held.state = "taken";
    else if (held.state === "unlisted" || held.state === "contested") this.#change(held, publication, "taken");
  }

  /** The number of unlisted publications. */
  get unlisted(): number {
    return this.#unlisted.size;
  }

  /** The list of a service has no room for what a data node was sent. */
  turnedDown({ serviceKey, registId, stamp, listed }: Unlisted): void {
    const held = this.#find({ serviceKey, registId });
    if (held === undefined || compareStamps(held.publication, stamp) !== 0) return;
    this.#change(held, held.publication, "unlisted", listed);
  }

  /** Another client holds this registration, at another session. */
  heldElsewhere({ serviceKey, registId, stamp, holder }: Superseded): void {
    const held = this.#find({ serviceKey, registId });
    if (held === undefined || compareStamps(held.publication, stamp) !== 0) return;
    const before = held.state === "contested" ? (this.#unanswered.get(held) ?? UNANSWERED_MAX) : 0;
    this.#change(held, held.publication, "contested");
    held.holder = holder;
    const mayBeAsked = before < UNANSWERED_MAX && holder !== undefined && haveOneHost(holder, held.client.id);
    if (mayBeAsked) this.#unanswered.set(held, before + 1);
  }

  /**
   * These slots have new leaders, which don't know which sessions the old ones were asking. A registration that was
   * refused because a client at its own client's host seemed to hold it is new again: the session that holds it
   * may report that its client has left before the new leader asks. Returns the new ones.
   */
  renewed(slots: ReadonlySet<number>): Publication[] {
    const renewed: Publication[] = [];
    for (const held of [...this.#unanswered.keys()]) {
      const { publication, client } = held;
      const isConcerned = this.#slotCount !== undefined && slots.has(slotOf(publication.serviceKey, this.#slotCount));
      if (!isConcerned || client.departedMs !== undefined) continue;
      this.#change(held, publication, "new");
      renewed.push(publication);
    }
    return renewed;
  }

  /** Something is contested. */
  get isContested(): boolean {
    return this.#contested.size > 0;
  }

  /** Some contested publications whose clients are here, the longest-waiting first. */
  claims({ publicationsMax, bytesMax }: { publicationsMax: number; bytesMax: number }): Publication[] {
    const due: HeldPublication[] = [];
    let bytes = 0;
    for (const held of this.#contested) {
      if (due.length === publicationsMax || bytes >= bytesMax) break;
      due.push(held);
      bytes += held.publication.payload.length;
    }
    for (const held of due) {
      this.#contested.delete(held);
      this.#contested.add(held);
    }
    return due.filter(({ client }) => client.departedMs === undefined).map(({ publication }) => publication);
  }

  /** Up to `max` unlisted publications of services that are `wanted`, to be tried again. */
  retries(wanted: (serviceKey: ServiceKey) => boolean, max: number): Publication[] {
    const due: HeldPublication[] = [];
    for (const held of this.#unlisted) {
      if (due.length === max) break;
      if (wanted(held.publication.serviceKey)) due.push(held);
    }
    // Those that must keep waiting are behind the others the next time.
    for (const held of due) {
      this.#unlisted.delete(held);
      this.#unlisted.add(held);
    }
    return due.map(({ publication }) => publication);
  }

  /** Whether a request is larger than the holding under its key: only then can it be too much. */
  grows({ payload }: PublishRequest, held: HeldPublication | undefined): boolean {
    return held === undefined || listBytesOf(payload) > listBytesOf(held.publication.payload);
  }

  /** The size of the service's list with this request, if that is more than `bytesMax` and more than now. */
  excess(request: PublishRequest, held: HeldPublication | undefined, bytesMax: number): number | undefined {
    const bytes = this.#services.get(request.serviceKey)?.listBytes ?? 0;
    if (bytes + mayAdd(request.payload) <= bytesMax || !this.grows(request, held)) return undefined;
    const before = held === undefined ? 0 : listBytesOf(held.publication.payload);
    const after = bytes - before + listBytesOf(request.payload);
    return after > bytesMax ? after : undefined;
  }

  /**
   * A data node knows something newer than what it was sent. If the client is here, its registration gets a later time
   * and is returned, to be published again, in two cases. The winner is the removal of a client that was taken for
   * dead, or the registration is the client's latest state and lost only by another session's clock. The latter happens
   * once, or two clients with one registId would go on for ever. A claim that waits for a holder may lose to another
   * claim in the same way, which says nothing about the clients: with a later time the new holder is asked. A
   * registration that a data node had taken before was outrun by the client's own return at another session, although
   * its connection here may seem to stand; it is still compared, so that it is there should the other connection end.
   */
  superseded({ serviceKey, registId, stamp, by, isRemoved }: Superseded): Publication | undefined {
    const held = this.#find({ serviceKey, registId });
    if (held === undefined || compareStamps(held.publication, stamp) !== 0) return undefined;
    const isHere = held.client.departedMs === undefined;
    if (by.version !== stamp.version || !isHere) {
      this.#change(held, held.publication, "superseded");
      return undefined;
    }
    if (!isRemoved && held.state !== "new" && held.state !== "contested") {
      this.#change(held, held.publication, "outrun");
      return undefined;
    }
    this.#change(held, { ...held.publication, registeredMs: by.registeredMs + 1 }, "restamped");
    return held.publication;
  }

  /**
   * Drops up to `max` holdings of a departed client. Each removal names the very registration that it removes.
   */
  dropSome(client: Client, max: number): Removal[] {
    const removals: Removal[] = [];
    for (const held of client.publications) {
      if (removals.length === max) break;
      const front = this.#find(held.publication);
      if (front !== undefined && front !== held) {
        // No data node has it from here: the removal would be taken for that of the client in front of it.
        dropBehind(front, (claim) => claim === held);
        continue;
      }
      this.#delete(held);
      const { serviceKey, registId, version, registeredMs } = held.publication;
      removals.push({ serviceKey, registId, cause: "left", stamp: { version, registeredMs } });
    }
    return removals;
  }

  /** The holding, if this is the state that its data node should have of it. */
  answersFor(entry: InventoryEntry): HeldPublication | undefined {
    const held = this.#find(entry);
    const spoken = held === undefined ? undefined : spokenOf(held);
    return spoken !== undefined && compareStamps(spoken, entry) === 0 ? held : undefined;
  }

  /**
   * A client is gone whose connection had been closed for long when that was noticed. Publications from `sinceMs` or
   * later that no data node has taken are no longer reported: the client may have moved on since. An earlier state at a
   * data node waits for the client's return like the rest. Returns the withdrawn publications.
   */
  withdraw(client: Client, sinceMs: number): Publication[] {
    const late = [...client.publications].filter(
      ({ state, publication }) => state === "new" && publication.registeredMs >= Math.floor(sinceMs),
    );
    return late.map((held) => {
      const { publication, former } = held;
      this.#change(held, former ?? publication, former === undefined ? "superseded" : "taken");
      return publication;
    });
  }

  /** The publication for a data node that asks for it. */
  get(key: { serviceKey: ServiceKey; registId: string }): Publication | undefined {
    const held = this.#find(key);
    const isGivenUp = held?.state === "contested" && held.client.departedMs !== undefined;
    return isGivenUp ? undefined : held?.publication;
  }

  digestOf(slot: number): SlotDigest {
    const digest = this.#slots.get(slot)?.digest;
    return { slot, count: digest?.count ?? 0, digest: digest?.value ?? 0n };
  }

  /** The entries that the slot's digest sums up. */
  inventoryOf(slot: number): InventoryEntry[] {
    const entries: InventoryEntry[] = [];
    for (const service of this.#slots.get(slot)?.services ?? []) {
      for (const held of service.publications.values()) {
        const spoken = spokenOf(held);
        if (spoken !== undefined) entries.push(spoken);
      }
    }
    return entries;
  }

  #find({ serviceKey, registId }: { serviceKey: ServiceKey; registId: string }): HeldPublication | undefined {
    return this.#services.get(serviceKey)?.publications.get(registId);
  }

  #add(held: HeldPublication): void {
    const { serviceKey, registId } = held.publication;
    const service = this.#services.get(serviceKey) ?? this.#newService(serviceKey);
    service.publications.set(registId, held);
    this.#size++;
    held.client.publications.add(held);
    service.listBytes += listBytesOf(held.publication.payload);
    digest(service, held, "add");
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

  #change(held: HeldPublication, publication: Publication, state: HeldPublication["state"], listed?: Stamp): void {
    const service = this.#services.get(held.publication.serviceKey);
    if (service !== undefined) {
      digest(service, held, "remove");
      if (publication.payload !== held.publication.payload) {
        service.listBytes += listBytesOf(publication.payload) - listBytesOf(held.publication.payload);
      }
    }
    held.publication = publication;
    held.state = state;
    held.former = undefined;
    held.listed = listed;
    held.holder = undefined;
    if (state === "unlisted") this.#unlisted.add(held);
    else this.#unlisted.delete(held);
    if (state === "contested") this.#contested.add(held);
    else this.#contested.delete(held);
    this.#unanswered.delete(held);
    if (service !== undefined) digest(service, held, "add");
  }

  #handOver(held: HeldPublication, to: Client): void {
    held.client.publications.delete(held);
    held.client = to;
    to.publications.add(held);
  }

  /**
   * Removes a holding. A claim that waits behind it is sent again, and goes to its client if no other session has it.
   */
  #delete(held: HeldPublication): void {
    held.client.publications.delete(held);
    held.client.account.release(HELD.registrations, held.bytes);
    this.#takeOut(held);
    const { behind } = held;
    if (behind === undefined) return;
    this.#add(behind);
    this.#contested.add(behind);
  }

  /** The holding is no longer reported, and is still its client's and charged for. */
  #takeOut(held: HeldPublication): void {
    const { serviceKey, registId } = held.publication;
    const service = this.#services.get(serviceKey);
    this.#unlisted.delete(held);
    this.#contested.delete(held);
    this.#unanswered.delete(held);
    if (service?.publications.delete(registId) !== true) return;
    this.#size--;
    service.listBytes -= listBytesOf(held.publication.payload);
    digest(service, held, "remove");
    if (service.publications.size > 0) return;
    this.#services.delete(serviceKey);
    service.slot?.services.delete(service);
  }
}

const NOTHING_MORE = { former: undefined, listed: undefined, holder: undefined };

/** The slot's digest sums up all reported registrations. */
function digest({ slot }: ServiceHoldings, held: HeldPublication, change: "add" | "remove"): void {
  const spoken = isAsPublished(held) ? held.publication : spokenOf(held);
  if (spoken !== undefined) slot?.digest[change](spoken);
}

function isAsPublished({ state }: HeldPublication): boolean {
  return state !== "superseded" && state !== "contested" && state !== "unlisted";
}

/** The state that the data node should have of it: for an unlisted one, the earlier listed state, if any. */
function spokenOf({ publication, state, listed }: HeldPublication): InventoryEntry | undefined {
  if (state === "superseded" || state === "contested") return undefined;
  const stamp = state === "unlisted" ? listed : publication;
  const { serviceKey, registId } = publication;
  return stamp && { serviceKey, registId, version: stamp.version, registeredMs: stamp.registeredMs };
}

// A returning client repeats its version on a new connection. Requests still under way on the old one may arrive after
// that, and must not take the registration away from the living connection.
function isOlder(client: Client, request: PublishRequest, { publication, client: holder }: HeldPublication): boolean {
  if (publication.version !== request.version) return publication.version > request.version;
  return holder.order > client.order && holder.departedMs === undefined;
}

// Two registrations of one version differ only by their time, so the second must be later even within one millisecond.
function laterThan(held: HeldPublication | undefined, nowMs: number): number {
  const time = Math.floor(nowMs);
  return held === undefined ? time : Math.max(time, held.publication.registeredMs + 1);
}
