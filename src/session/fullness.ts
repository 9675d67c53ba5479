// The lists and data nodes that take nothing more, as far as the data nodes have reported. A registration that they
// would only turn down is refused here at once, and its client tries again.

import { fail, type RegistryError } from "../base/errors.ts";
import type { Unlisted } from "../cluster/messages/sessionData.ts";
import type { NodeId, ServiceKey } from "../model/ids.ts";
import type { PublishRequest } from "../registry/registry.ts";
import type { HeldPublication } from "./client.ts";
import type { DataLinks } from "./dataLinks.ts";
import type { Publications } from "./publications.ts";

// The time for which a report is believed; then the next registration shows whether there is room. Clients try again
// each half second.
const BELIEVED_MS = 5_000;
// Full services are few. Beyond this number the earliest is forgotten, and tried again.
const SERVICES_MAX = 1_000;

interface FullList {
  readonly untilMs: number;
  readonly bytes: number;
  readonly bytesMax: number;
}

const NO_LIST: FullList = { untilMs: 0, bytes: 0, bytesMax: 0 };

export class Fullness {
  readonly #publications: Publications;
  readonly #links: DataLinks;
  readonly #serviceBytesMax: number;
  readonly #lists = new Map<ServiceKey, FullList>();
  readonly #nodes = new Map<NodeId, number>();

  constructor(publications: Publications, links: DataLinks, { serviceBytesMax }: { readonly serviceBytesMax: number }) {
    this.#publications = publications;
    this.#links = links;
    this.#serviceBytesMax = serviceBytesMax;
  }

  /** A data node's report with each batch that it has taken. */
  told(node: NodeId, { unlisted, isFull }: { unlisted: readonly Unlisted[]; isFull: boolean }, nowMs: number): void {
    if (isFull) this.#nodes.set(node, nowMs + BELIEVED_MS);
    else this.#nodes.delete(node);
    for (const { serviceKey, bytes, bytesMax } of unlisted) {
      this.#lists.delete(serviceKey);
      this.#lists.set(serviceKey, { untilMs: nowMs + BELIEVED_MS, bytes, bytesMax });
    }
    for (const serviceKey of this.#lists.keys()) {
      if (this.#lists.size <= SERVICES_MAX) break;
      this.#lists.delete(serviceKey);
    }
  }

  /**
   * The reason why a publication would not be listed, as far as it is known here. A publication that does not grow is
   * always taken.
   */
  refusal(request: PublishRequest, held: HeldPublication | undefined, nowMs: number): RegistryError | undefined {
    const { serviceKey } = request;
    const bytesMax = this.#serviceBytesMax;
    const bytes = this.#publications.excess(request, held, bytesMax);
    if (bytes !== undefined) return fail("SERVICE_FULL", { service: serviceKey, bytes, bytesMax });
    const isQuiet = this.#lists.size === 0 && this.#nodes.size === 0;
    return isQuiet || !this.#publications.grows(request, held) ? undefined : this.#believed(serviceKey, nowMs);
  }

  #believed(serviceKey: ServiceKey, nowMs: number): RegistryError | undefined {
    const { untilMs, bytes, bytesMax } = this.#lists.get(serviceKey) ?? NO_LIST;
    if (nowMs < untilMs) return fail("SERVICE_FULL", { service: serviceKey, bytes, bytesMax });
    this.#lists.delete(serviceKey);
    const node = this.#links.leader(serviceKey);
    const isFull = node !== undefined && nowMs < (this.#nodes.get(node) ?? 0);
    return isFull ? fail("DATA_FULL", { node }) : undefined;
  }
}
