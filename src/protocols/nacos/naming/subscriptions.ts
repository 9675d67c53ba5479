// Subscriptions of clients by gRPC: one for each service and selection of clusters. The answer to a subscription has
// the list, and the list is pushed, too: some clients look at one of them only.

import { fail } from "../../../base/errors.ts";
import type { ServiceKey } from "../../../model/ids.ts";
import type { Registry } from "../../../registry/registry.ts";
import type { NacosClient } from "../part.ts";
import type { Done } from "./registrations.ts";

interface Parts {
  readonly registry: Pick<Registry, "step">;
  readonly zone: string;
  readonly nowMs: () => number;
}

export interface Subscribed {
  readonly serviceKey: ServiceKey;
  readonly clusters: string;
}

const VERSION = 1n;
/** The longest selection of clusters. */
const CLUSTERS_CHARS_MAX = 1_024;

export class Subscriptions {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** `done` is called once; undefined: the client is a subscriber. Not within a step of the registry. */
  subscribe(client: NacosClient, { serviceKey, clusters }: Subscribed, done: Done): void {
    const { zone, registry, nowMs } = this.#parts;
    const key = { serviceKey, registId: registIdOf(client, clusters), version: VERSION };
    const request = client.channel.request((outcome) => done(outcome.kind === "accepted" ? undefined : outcome.error));
    const subscription = { ...key, scope: "dataCenter", zone, variant: clusters } as const;
    registry.step({ kind: "subscribed", client: client.id, request, subscription }, nowMs());
  }

  unsubscribe(client: NacosClient, { serviceKey, clusters }: Subscribed): void {
    const key = { serviceKey, registId: registIdOf(client, clusters), version: VERSION };
    const request = client.channel.request(() => undefined);
    const { registry, nowMs } = this.#parts;
    registry.step({ kind: "unsubscribed", client: client.id, request, key }, nowMs());
  }
}

/** Of another connection too, no subscription has the same. */
function registIdOf({ connectionId }: NacosClient, clusters: string): string {
  return `nacos:${connectionId}#${clusters}`;
}

/** The clusters of a request, if they are short enough. Throws FIELD_INVALID. */
export function checkedClusters(clusters: string): string {
  if (clusters.length <= CLUSTERS_CHARS_MAX) return clusters;
  const expected = `at most ${CLUSTERS_CHARS_MAX} characters`;
  throw fail("FIELD_INVALID", { field: "clusters", characters: clusters.length, expected });
}
