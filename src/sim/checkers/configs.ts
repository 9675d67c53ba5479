// Configuration: a watcher is shown only values that were set, on one connection never an older value after a newer
// one, and at the end the value in the store.

import type { ServiceKey } from "../../model/ids.ts";
import type { Fact } from "../facts.ts";
import type { Checker, Evidence, Finding } from "./checker.ts";

interface Watch {
  readonly client: string;
  readonly service: ServiceKey;
  connection: number;
  /** The newest value on this connection, and the last one that the client took. */
  newest: bigint;
  taken: { readonly version: bigint; readonly data: string | null } | undefined;
}

export class ConfigChecker implements Checker {
  readonly #evidence: Evidence;
  readonly #watches = new Map<string, Watch>();
  readonly #asked = new Map<ServiceKey, Set<string | null>>();

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
  }

  see(fact: Fact): Finding | undefined {
    switch (fact.kind) {
      case "watched": {
        const { client, service, registId } = fact;
        this.#watches.set(registId, { client, service, connection: 0, newest: -1n, taken: undefined });
        return undefined;
      }
      case "unwatched":
        this.#watches.delete(fact.registId);
        return undefined;
      case "configAsked":
        this.#asked.set(fact.service, (this.#asked.get(fact.service) ?? new Set()).add(fact.data));
        return undefined;
      case "configured":
        return this.#configured(fact);
      case "over":
        return this.#last(fact);
      default:
        return undefined;
    }
  }

  #configured({ registId, service, connection, version, data, isTaken }: Configured): Finding | undefined {
    const watch = this.#watches.get(registId);
    // The value was under way when the watch ended.
    if (watch === undefined) return undefined;
    if (data !== null && this.#asked.get(service)?.has(data) !== true) {
      return found(service, `${registId} was sent "${data}", which nobody has set`);
    }
    const isOlder = watch.connection === connection && version < watch.newest;
    if (isOlder) return found(service, `${registId} was sent v${version} after v${watch.newest}`);
    watch.connection = connection;
    watch.newest = version;
    if (isTaken) watch.taken = { version, data };
    return undefined;
  }

  #last({ configs }: Fact & { kind: "over" }): Finding | undefined {
    for (const [registId, { client, service, taken }] of this.#watches) {
      if (this.#evidence.registrations.client(client).diedMs !== undefined) continue;
      const stored = configs?.get(service);
      if (stored === undefined ? taken !== undefined : taken?.version === stored.version && taken.data === stored.data)
        continue;
      const text = `the last value of ${client} (${registId}) is v${taken?.version}, the store has v${stored?.version}`;
      return found(service, text);
    }
    return undefined;
  }
}

type Configured = Fact & { readonly kind: "configured" };

function found(service: ServiceKey, text: string): Finding {
  return { rule: "configuration: the newest, in order", service, text };
}
