// The publications of this session's clients. The session is their source of truth: a data node that loses any gets
// them again from here. `publicationState.ts` has what becomes of each; `holdings.ts` compares them with a data node.

import { CHARGE } from "../base/budget.ts";
import type { RegistryError } from "../base/errors.ts";
import type { InventoryEntry, Removal, Superseded, Unlisted } from "../cluster/messages/sessionData.ts";
import type { SlotDigest } from "../cluster/messages/slotDigest.ts";
import { haveOneHost, type NodeId, type ServiceKey } from "../model/ids.ts";
import { listBytesOf, mayAdd } from "../model/listBytes.ts";
import { compareStamps, type Publication, type Stamp } from "../model/publication.ts";
import type { PublishRequest, RegistrationKey } from "../registry/registry.ts";
import { dropBehind, lineOf, mayWait, takeBehind } from "./claimsBehind.ts";
import type { Client, HeldPublication } from "./client.ts";
import type { Costs } from "./costs.ts";
import { Holdings } from "./holdings.ts";
import {
  isLost,
  mayHoldItself,
  NEW,
  next,
  type PublicationEvent,
  type PublicationState,
  reported,
} from "./publicationState.ts";

const NONE: ReadonlySet<Publication> = new Set();

/** The result of a publish request. */
export interface Published {
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

export class Publications {
  readonly #session: NodeId;
  readonly #costs: Costs;
  readonly #holdings = new Holdings();
  // In the order of their next try.
  readonly #unlisted = new Set<HeldPublication>();
  readonly #contested = new Set<HeldPublication>();

  constructor(session: NodeId, costs: Costs) {
    this.#session = session;
    this.#costs = costs;
  }

  /** The sum of the charges for all holdings. */
  get chargedBytes(): number {
    let sum = 0;
    for (const held of this.#holdings.all()) for (const { bytes } of lineOf(held)) sum += bytes;
    return sum;
  }

  get size(): number {
    return this.#holdings.size;
  }

  /** The services with publications of clients, and the publications of one of them. */
  services(): Iterable<ServiceKey> {
    return this.#holdings.services();
  }

  ofService(serviceKey: ServiceKey): Iterable<HeldPublication> {
    return this.#holdings.ofService(serviceKey);
  }

  /** The cluster's slot count is known now. */
  divide(slotCount: number): void {
    this.#holdings.divide(slotCount);
  }

  /** The holding of a registration, by any client. */
  held(key: { serviceKey: ServiceKey; registId: string }): HeldPublication | undefined {
    return this.#holdings.find(key);
  }

  /**
   * Stores a publication; returns undefined if a newer version of the same registration is held, and an error if it
   * would be too much.
   */
  put(
    client: Client,
    request: PublishRequest,
    nowMs: number,
    held = this.#holdings.find(request),
  ): Published | RegistryError | undefined {
    if (held !== undefined && held.state.kind !== "contested" && isOlder(client, request, held)) return undefined;
    if (request.processId !== undefined) client.processId = request.processId;
    const bytes = this.#costs.publication(request);
    const isAside = held?.state.kind === "contested" && mayWait(held, client, request);
    const before = held && !isAside ? { account: held.client.account, bytes: held.bytes } : undefined;
    const refusal = client.account.replace(CHARGE.registrations, bytes, before);
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
      if (held !== undefined) {
        this.#takeOut(held);
        held.state = next(held.state, { kind: "setAside" });
      }
      const added: HeldPublication = { publication, client, bytes, state: NEW, behind: held };
      this.#add(added);
      dropBehind(added, (claim) => claim.client === client);
      return { publication, before: undefined };
    }
    const holder = held.client;
    held.bytes = bytes;
    this.#enter(held, next(held.state, { kind: "published", before: held.publication }), publication);
    this.#handOver(held, client);
    dropBehind(held, (claim) => claim.client === client);
    return { publication, before: holder === client ? undefined : holder };
  }

  /**
   * Takes a registration back; undefined if a newer version of it is held. Unknown ones are removed too: another
   * session may hold them.
   */
  unpublish(client: Client, key: RegistrationKey, nowMs: number): Unpublished | undefined {
    const found = this.#holdings.find(key);
    // A registration for which another client waits in vain is not this client's.
    const held = found?.state.kind === "contested" && found.client !== client ? undefined : found;
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
    const held = this.#holdings.find(key);
    if (held !== undefined) dropBehind(held, (claim) => claim.client === client);
    return held;
  }

  /** A data node has taken this publication, if it is still the newest here. */
  taken(publication: Publication): void {
    const held = this.#holdings.find(publication);
    if (held?.publication === publication) this.#enter(held, next(held.state, { kind: "taken" }));
  }

  /** The number of unlisted publications. */
  get unlisted(): number {
    return this.#unlisted.size;
  }

  /** The list of a service has no room for what a data node was sent. */
  turnedDown(turnedDown: Unlisted): void {
    const held = this.#findAt(turnedDown);
    if (held !== undefined) this.#enter(held, next(held.state, { kind: "turnedDown", listed: turnedDown.listed }));
  }

  /** Another client holds this registration, at another session. */
  heldElsewhere(lost: Superseded): void {
    const held = this.#findAt(lost);
    if (held === undefined) return;
    const { holder } = lost;
    const isOneHost = holder !== undefined && haveOneHost(holder, held.client.id);
    this.#enter(held, next(held.state, { kind: "heldElsewhere", holder, isOneHost }));
  }

  /** These slots have new leaders. Returns the publications that are new again, to be published to them. */
  renewed(slots: ReadonlySet<number>): Publication[] {
    const renewed: Publication[] = [];
    for (const held of this.#contested) {
      const { publication, client } = held;
      if (!this.#holdings.isIn(slots, publication.serviceKey) || client.departedMs !== undefined) continue;
      const state = next(held.state, { kind: "leaderChanged" });
      if (state === held.state) continue;
      this.#enter(held, state);
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
    const bytes = this.#holdings.listBytesOf(request.serviceKey);
    if (bytes + mayAdd(request.payload) <= bytesMax || !this.grows(request, held)) return undefined;
    const before = held === undefined ? 0 : listBytesOf(held.publication.payload);
    const after = bytes - before + listBytesOf(request.payload);
    return after > bytesMax ? after : undefined;
  }

  /**
   * A data node knows something newer than what it was sent. Returns the publication if it has a later time now, with
   * which it is to be published again.
   */
  superseded(lost: Superseded): Publication | undefined {
    const held = this.#findAt(lost);
    if (held === undefined) return undefined;
    const claim = lost.isRemoved ? undefined : takeBehind(held, lost.by);
    if (claim !== undefined) {
      this.#stepBehind(held, claim);
      return undefined;
    }
    const state = next(held.state, lossOf(lost, held.client));
    if (state.kind !== "restamped") {
      this.#enter(held, state);
      return undefined;
    }
    this.#enter(held, state, { ...held.publication, registeredMs: lost.by.registeredMs + 1 });
    return held.publication;
  }

  /**
   * Drops up to `max` holdings of a departed client. Each removal names the very registration that it removes.
   */
  dropSome(client: Client, max: number): Removal[] {
    const removals: Removal[] = [];
    for (const held of client.publications) {
      if (removals.length === max) break;
      const front = this.#holdings.find(held.publication);
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
    const held = this.#holdings.find(entry);
    const stamp = held === undefined ? undefined : reported(held.publication, held.state);
    return stamp !== undefined && compareStamps(stamp, entry) === 0 ? held : undefined;
  }

  /**
   * A client is gone whose connection had been closed for long when that was noticed. Publications from `sinceMs` or
   * later that no data node has taken are no longer reported: the client may have moved on since. Returns them.
   */
  withdraw(client: Client, sinceMs: number): Publication[] {
    const withdrawn: Publication[] = [];
    const fromMs = Math.floor(sinceMs);
    for (const held of client.publications) {
      const { publication, state } = held;
      const after = next(state, { kind: "withdrawn", sinceMs: fromMs });
      if (after === state || publication.registeredMs < fromMs) continue;
      this.#enter(held, after, after.kind === "taken" && state.kind === "new" ? state.former : undefined);
      withdrawn.push(publication);
    }
    return withdrawn;
  }

  /** The publication for a data node that asks for it. */
  get(key: { serviceKey: ServiceKey; registId: string }): Publication | undefined {
    const held = this.#holdings.find(key);
    return held === undefined || isGivenUp(held) ? undefined : held.publication;
  }

  /**
   * The present state of a registration that a client here still wants, or will if it returns, if it is newer than what
   * has lost.
   */
  newerThan({ serviceKey, registId, stamp }: Superseded): Publication | undefined {
    const held = this.#holdings.find({ serviceKey, registId });
    if (held === undefined || isGivenUp(held) || isLost(held.state)) return undefined;
    return compareStamps(held.publication, stamp) > 0 ? held.publication : undefined;
  }

  digestOf(slot: number): SlotDigest {
    return this.#holdings.digestOf(slot);
  }

  /** The entries that the slot's digest sums up, and those that are `sent`: a data node may be about to take them. */
  inventoryOf(slot: number, sent: ReadonlySet<Publication> = NONE): InventoryEntry[] {
    return this.#holdings.inventoryOf(slot, sent);
  }

  /** The holding, if it is still what a data node was sent under this stamp. */
  #findAt(sent: { serviceKey: ServiceKey; registId: string; stamp: Stamp }): HeldPublication | undefined {
    const held = this.#holdings.find(sent);
    return held !== undefined && compareStamps(held.publication, sent.stamp) === 0 ? held : undefined;
  }

  #add(held: HeldPublication): void {
    this.#holdings.add(held);
    held.client.publications.add(held);
  }

  /** Brings a holding into the state that follows from an event. */
  #enter(held: HeldPublication, state: PublicationState, publication = held.publication): void {
    const isOther = state.kind !== held.state.kind;
    this.#holdings.change(held, state, publication);
    if (isOther) this.#queue(held);
  }

  /** Puts a holding at the end of the queue for its state, if there is one. */
  #queue(held: HeldPublication): void {
    const { kind } = held.state;
    this.#unlisted.delete(held);
    this.#contested.delete(held);
    if (kind === "unlisted") this.#unlisted.add(held);
    else if (kind === "contested") this.#contested.add(held);
  }

  #handOver(held: HeldPublication, to: Client): void {
    held.client.publications.delete(held);
    held.client = to;
    to.publications.add(held);
  }

  /** A data node had taken the claim before it heard of the holding: the claim is in front, and the holding waits. */
  #stepBehind(held: HeldPublication, claim: HeldPublication): void {
    this.#takeOut(held);
    held.state = next(held.state, { kind: "heldElsewhere", holder: claim.client.id, isOneHost: false });
    claim.behind = held;
    claim.state = next(claim.state, { kind: "taken" });
    this.#add(claim);
  }

  /**
   * Removes a holding. A claim that waits behind it is sent again, and goes to its client if no other session has it.
   */
  #delete(held: HeldPublication): void {
    held.client.publications.delete(held);
    held.client.account.release(CHARGE.registrations, held.bytes);
    this.#takeOut(held);
    const { behind } = held;
    if (behind === undefined) return;
    this.#add(behind);
    this.#contested.add(behind);
  }

  /** The holding is no longer reported, and is still its client's and charged for. */
  #takeOut(held: HeldPublication): void {
    this.#holdings.delete(held);
    this.#unlisted.delete(held);
    this.#contested.delete(held);
  }
}

/** A claim ends with its client, unless the holder may be that one's former connection, which may yet give way. */
function isGivenUp({ state, client }: HeldPublication): boolean {
  return state.kind === "contested" && client.departedMs !== undefined && !mayHoldItself(state);
}

function lossOf({ stamp, by, isRemoved }: Superseded, client: Client): PublicationEvent {
  if (by.version !== stamp.version) return { kind: "lostToVersion" };
  const isHere = client.departedMs === undefined;
  return isRemoved ? { kind: "lostToRemoval", isHere } : { kind: "lostToTime", isHere };
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
