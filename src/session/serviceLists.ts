// The lists of the services with subscribers here: requested, kept up to date by notices, and compared with the data
// nodes from time to time. Only the node that leads a service by the newest table counts.

import type { HistogramPort } from "../base/metrics.ts";
import type { ListMessage } from "../cluster/messages/sessionData.ts";
import { type DatumDelta, type DatumVersion, isSameVersion, NO_DATUM_VERSION } from "../model/datum.ts";
import type { NodeId, ServiceKey } from "../model/ids.ts";
import { timeOf } from "../model/version.ts";
import type { DataLinks } from "./dataLinks.ts";
import type { SubscribedService, Subscriptions } from "./subscriptions.ts";

export class ServiceLists {
  readonly #subscriptions: Subscriptions;
  readonly #links: DataLinks;
  readonly #noticed: HistogramPort;
  readonly #changed: (service: SubscribedService, nowMs: number) => void;

  /**
   * `changed` is called when a service has a newer list. `noticed` measures the seconds from the making of a version to
   * its notice.
   */
  constructor(
    subscriptions: Subscriptions,
    { links, noticed }: { links: DataLinks; noticed: HistogramPort },
    changed: (service: SubscribedService, nowMs: number) => void,
  ) {
    this.#subscriptions = subscriptions;
    this.#links = links;
    this.#noticed = noticed;
    this.#changed = changed;
  }

  /** Requests the list; while a request is under way its answer decides whether another one is needed. */
  fetch(service: SubscribedService): void {
    if (service.isWaiting) return;
    const { serviceKey, list } = service;
    service.isWaiting = this.#links.ask(serviceKey, { kind: "fetch", serviceKey, have: list.state });
  }

  /** Other nodes lead these slots now: they may have a different list under the same number. */
  moved(slots: ReadonlySet<number>): void {
    if (slots.size === 0) return;
    for (const service of this.#subscriptions.services()) {
      const slot = this.#links.slotOf(service.serviceKey);
      if (slot === undefined || !slots.has(slot)) continue;
      service.isWaiting = false;
      service.announced = undefined;
      this.fetch(service);
    }
  }

  received(from: NodeId, message: ListMessage, nowMs: number): void {
    const service = this.#subscriptions.get(subjectOf(message));
    if (service === undefined || this.#links.leader(service.serviceKey) !== from) return;
    switch (message.kind) {
      case "snapshot":
        return this.#arrived(service, service.list.replace(message.datum, nowMs), nowMs);
      case "delta":
        this.#notice(service, message.delta.version, nowMs);
        return this.#delta(service, message.delta, nowMs);
      case "changed":
        this.#notice(service, message.version.version, nowMs);
        return this.#announced(service, message.version);
      case "current":
        return this.#arrived(service, false, nowMs);
    }
  }

  /** Forgets those of these services that have no subscriber left, and says so to their leaders. */
  releaseUnused(serviceKeys: readonly ServiceKey[]): void {
    for (const serviceKey of serviceKeys) {
      const service = this.#subscriptions.get(serviceKey);
      if (service === undefined || !this.#subscriptions.forgetIfUnused(service)) continue;
      this.#links.ask(serviceKey, { kind: "release", serviceKeys: [serviceKey] });
    }
  }

  /** A leader that took over less than what is known here asks for the list; it waits, so it gets an answer. */
  recall(node: NodeId, serviceKey: ServiceKey): void {
    const list = this.#subscriptions.get(serviceKey)?.list;
    const datum = list?.snapshot ?? { ...NO_DATUM_VERSION, serviceKey, publications: [] };
    this.#links.send(node, { kind: "recalled", datum });
  }

  /** Measures a message that nothing here has asked for; an answer may be about a version of long ago. */
  #notice({ isWaiting }: SubscribedService, version: bigint, nowMs: number): void {
    if (!isWaiting) this.#noticed.observe(Math.max(0, nowMs - timeOf(version)) / 1000);
  }

  #delta(service: SubscribedService, delta: DatumDelta, nowMs: number): void {
    const result = service.list.apply(delta);
    if (result === "behind") this.#announced(service, delta);
    else this.#arrived(service, result === "applied", nowMs);
  }

  #arrived(service: SubscribedService, isNewer: boolean, nowMs: number): void {
    service.isWaiting = false;
    if (isNewer) this.#changed(service, nowMs);
    if (service.announced !== undefined && service.announced.version > service.list.version) this.fetch(service);
  }

  /** A list of this version exists, and it is not here. */
  #announced(service: SubscribedService, { version, origin }: DatumVersion): void {
    if (version < service.list.version || isSameVersion({ version, origin }, service.list.state)) return;
    if (service.announced === undefined || version > service.announced.version) service.announced = { version, origin };
    this.fetch(service);
  }
}

function subjectOf(message: ListMessage): ServiceKey {
  if (message.kind === "snapshot") return message.datum.serviceKey;
  return message.kind === "delta" ? message.delta.serviceKey : message.serviceKey;
}
