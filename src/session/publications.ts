// What this session's clients publish. The session is the source of truth for it: whatever a data node loses, it gets
// again from here.

import type { Removal } from "../messages/sessionData.ts";
import type { DataInfoId, NodeId } from "../model/ids.ts";
import type { Publication } from "../model/publication.ts";
import type { Client, HeldPublication } from "./client.ts";
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

export class Publications {
  readonly #session: NodeId;
  readonly #services = new Map<DataInfoId, Map<string, HeldPublication>>();

  constructor(session: NodeId) {
    this.#session = session;
  }

  /** Whether this very client holds the registration already. */
  has(client: Client, key: { dataInfoId: DataInfoId; registId: string }): boolean {
    return this.#find(key)?.client === client;
  }

  /** Stores a publication; undefined if a newer version of the same registration is held. */
  put(client: Client, request: PublishRequest, nowMs: number): Taken | undefined {
    const held = this.#find(request);
    if (held !== undefined && isOlder(client, request, held)) return undefined;
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
      this.#add({ publication, client });
      return { publication, before: undefined };
    }
    const before = held.client;
    held.publication = publication;
    this.#handOver(held, client);
    return { publication, before: before === client ? undefined : before };
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

  *all(): Generator<Publication> {
    for (const service of this.#services.values()) {
      for (const held of service.values()) yield held.publication;
    }
  }

  #find({ dataInfoId, registId }: { dataInfoId: DataInfoId; registId: string }): HeldPublication | undefined {
    return this.#services.get(dataInfoId)?.get(registId);
  }

  #add(held: HeldPublication): void {
    const { dataInfoId, registId } = held.publication;
    const service = this.#services.get(dataInfoId);
    if (service === undefined) this.#services.set(dataInfoId, new Map([[registId, held]]));
    else service.set(registId, held);
    held.client.publications.add(held);
  }

  #handOver(held: HeldPublication, to: Client): void {
    held.client.publications.delete(held);
    held.client = to;
    to.publications.add(held);
  }

  #delete(held: HeldPublication): void {
    const { dataInfoId, registId } = held.publication;
    const service = this.#services.get(dataInfoId);
    service?.delete(registId);
    if (service?.size === 0) this.#services.delete(dataInfoId);
    held.client.publications.delete(held);
  }
}

// A client that comes back repeats its version on a new connection; what the old one still had under way may arrive
// after that, and must not take the registration away from the living connection.
function isOlder(client: Client, request: PublishRequest, { publication, client: holder }: HeldPublication): boolean {
  if (publication.version !== request.version) return publication.version > request.version;
  return holder.order > client.order && holder.departedMs === undefined;
}

// Two registrations of one version differ by their time alone, so the second must be later even within one millisecond.
function laterThan(held: HeldPublication | undefined, nowMs: number): number {
  return held === undefined ? nowMs : Math.max(nowMs, held.publication.registeredMs + 1);
}
