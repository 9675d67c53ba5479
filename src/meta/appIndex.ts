// All revisions without their contents, as the leading meta node keeps them: the application of each and the time at
// which it was last seen, and the applications that offer each service.

import type { ServiceApps } from "../model/appRevision.ts";
import { NO_VERSION, VersionSource } from "../model/version.ts";
import type { Head, IndexRecord, OfferedServices } from "./appRecords.ts";

const NO_SERVICES: OfferedServices = new Map();

interface Offer {
  version: bigint;
  readonly applications: Set<string>;
}

export class AppIndex {
  readonly heads = new Map<string, Head>();
  readonly #services = new Map<string, OfferedServices>();
  readonly #offers = new Map<string, Offer>();
  readonly #versions = new VersionSource(NO_VERSION);
  /** The version of the store when this was read. */
  #readVersion = NO_VERSION;
  #contentBytes = 0;

  /** The bytes of all contents in the store. */
  get contentBytes(): number {
    return this.#contentBytes;
  }

  /** The newest version of any service. */
  get version(): bigint {
    return this.#versions.last;
  }

  /** A higher version, for a change that is to be saved. */
  nextVersion(nowMs: number): bigint {
    return this.#versions.next(nowMs, 0n);
  }

  /** Forgets everything, to be read anew. Versions continue. */
  clear(): void {
    this.heads.clear();
    this.#services.clear();
    this.#offers.clear();
    this.#contentBytes = 0;
    this.#readVersion = NO_VERSION;
  }

  /** Takes one record of the store. */
  load(record: IndexRecord): void {
    if (record.kind === "head") this.setHead(record.id, record.head);
    else if (record.kind === "version") {
      this.#readVersion = record.version;
      this.#versions.raise(record.version);
    } else this.setServices(record.application, record.services, NO_VERSION);
  }

  setHead(id: string, head: Head | undefined): void {
    this.#contentBytes += (head?.bytes ?? 0) - (this.heads.get(id)?.bytes ?? 0);
    if (head === undefined) this.heads.delete(id);
    else this.heads.set(id, head);
  }

  servicesOf(application: string): OfferedServices {
    return this.#services.get(application) ?? NO_SERVICES;
  }

  /** All applications that offer services. */
  applications(): Iterable<string> {
    return this.#services.keys();
  }

  /** All services that applications offer. */
  *services(): Generator<string> {
    for (const [service, { applications }] of this.#offers) if (applications.size > 0) yield service;
  }

  /** Replaces the services of an application. Returns those whose applications have changed, at `version`. */
  setServices(application: string, services: OfferedServices, version: bigint): string[] {
    const before = this.servicesOf(application);
    const changed: string[] = [];
    for (const service of services.keys()) if (!before.has(service)) changed.push(service);
    for (const service of before.keys()) if (!services.has(service)) changed.push(service);
    for (const service of changed) this.#change(service, application, { isOffered: services.has(service), version });
    if (services.size === 0) this.#services.delete(application);
    else this.#services.set(application, services);
    return changed;
  }

  /**
   * The applications of a service. One that has not changed since this node has read the store has the store's version
   * of then: it may have been told under any up to that. A version that this node gave to a commit would not do: if the
   * store did not take it, a later leader does not know it, and its changes would be taken for earlier ones.
   */
  appsOf(service: string): ServiceApps {
    const offer = this.#offers.get(service);
    const version = offer === undefined || offer.version === NO_VERSION ? this.#readVersion : offer.version;
    return { service, version, applications: [...(offer?.applications ?? [])] };
  }

  #change(service: string, application: string, { isOffered, version }: { isOffered: boolean; version: bigint }): void {
    const offer = this.#offers.get(service) ?? { version, applications: new Set() };
    this.#offers.set(service, offer);
    offer.version = version;
    if (isOffered) offer.applications.add(application);
    else offer.applications.delete(application);
  }
}
