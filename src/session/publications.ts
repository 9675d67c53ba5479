// What this session's clients publish. The session is the source of truth for it: whatever a data node loses, it gets again from here.

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
    if (held !== undefined && held.publication.version > request.version) return undefined;
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

  /** Takes a registration back; undefined if a newer version of it is held. Unknown ones are removed too: another session may hold them. */
  unpublish(key: RegistrationKey, nowMs: number): Removal | undefined {
    const held = this.#find(key);
    if (held !== undefined && held.publication.version > key.version) return undefined;
    if (held !== undefined) this.#delete(held);
    const { dataInfoId, registId, version } = key;
    return { dataInfoId, registId, cause: "unpublished", stamp: { version, registeredMs: laterThan(held, nowMs) } };
  }

  /** Drops what a client that is gone still holds. Each removal names the very registration that it removes. */
  dropClient(client: Client): Removal[] {
    return [...client.publications].map((held) => {
      this.#delete(held);
      const { dataInfoId, registId, version, registeredMs } = held.publication;
      return { dataInfoId, registId, cause: "left", stamp: { version, registeredMs } };
    });
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

// Two registrations of one version differ by their time alone, so the second must be later even within one millisecond.
function laterThan(held: HeldPublication | undefined, nowMs: number): number {
  return held === undefined ? nowMs : Math.max(nowMs, held.publication.registeredMs + 1);
}
