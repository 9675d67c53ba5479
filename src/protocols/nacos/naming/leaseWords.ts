// The words of operators about instances that clients by HTTP have registered here. A registration has them as this
// session's copy of the records knows them. When the copy hears of another word, what is listed is looked at, and
// registered again if it lacks the word: as the list has it, since the client may have registered elsewhere meanwhile.

import type { ServiceKey } from "../../../model/ids.ts";
import { packInstance, unpackInstance } from "../../../model/instance.ts";
import { equalPayloads } from "../../../model/payload.ts";
import type { Publication } from "../../../model/publication.ts";
import type { Registry, ServiceView } from "../../../registry/registry.ts";
import { fromInstance, NACOS, type NacosInstance, toInstance } from "./instance.ts";
import { BESIDE, hostOf } from "./leaseIds.ts";
import { askList } from "./lists.ts";
import type { NamingRecords } from "./namingRecords.ts";

interface Parts {
  readonly registry: Pick<Registry, "step">;
  readonly records: Pick<NamingRecords, "changed">;
}

/** As `Leases`. */
interface Registering {
  readonly later: (run: () => void) => void;
  register(
    registered: { readonly serviceKey: ServiceKey; readonly instance: NacosInstance; readonly from: string },
    done: () => void,
  ): void;
}

/** An address whose word has changed. */
interface Changed {
  readonly serviceKey: ServiceKey;
  readonly registId: string;
  /** It is looked at again then. */
  dueMs: number;
  /** The number of times that it still has to be found as it should be. */
  left: number;
}

// Some 150 bytes each. The oldest ones registered long before any word of which the copy has not heard.
const REGISTERED_MAX = 100_000;
// Eighty a second, with a question for each service.
const LOOKED_AT_ONCE = 40;
// A registration from before the change may still be on its way to the leader when the list is looked at first.
const LOOKS = 2;
const AGAIN_MS = 5_000;
// A list or a leader that is away is asked again.
const RETRY_MS = 1_000;

export class LeaseWords {
  readonly #parts: Parts;
  readonly #registered = new Set<string>();
  readonly #changed = new Map<string, Changed>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** A client registers the instance here. */
  registered(serviceKey: ServiceKey, registId: string): void {
    const key = keyOf(serviceKey, registId);
    this.#registered.delete(key);
    this.#registered.add(key);
    if (this.#registered.size <= REGISTERED_MAX) return;
    for (const oldest of this.#registered) return void this.#registered.delete(oldest);
  }

  /** A client takes the instance back here. */
  ended(serviceKey: ServiceKey, registId: string): void {
    this.#registered.delete(keyOf(serviceKey, registId));
  }

  /** The copy of the records has another word about the instance. */
  changed(serviceKey: ServiceKey, registId: string): void {
    const key = keyOf(serviceKey, registId);
    if (this.#registered.has(key)) this.#changed.set(key, { serviceKey, registId, dueMs: 0, left: LOOKS });
  }

  /** Called twice a second, not within a step of the registry. */
  check(nowMs: number, leases: Registering): void {
    const due: Changed[] = [];
    for (const each of this.#changed.values()) {
      if (each.dueMs > nowMs) continue;
      due.push(each);
      each.dueMs = nowMs + RETRY_MS;
      if (due.length === LOOKED_AT_ONCE) break;
    }
    for (const [serviceKey, changed] of Map.groupBy(due, (each) => each.serviceKey)) {
      askList(this.#parts.registry, { serviceKey, nowMs }, (view) => {
        if (view !== undefined) for (const each of changed) this.#look(each, view, { nowMs, leases });
      });
    }
  }

  #look(
    changed: Changed,
    { publications }: ServiceView,
    { nowMs, leases }: { readonly nowMs: number; readonly leases: Registering },
  ): void {
    const { serviceKey, registId } = changed;
    const lacking = [publications.get(registId), publications.get(registId + BESIDE)].flatMap((publication) => {
      const instance = publication && this.#withoutWord(publication, changed);
      return publication === undefined || instance === undefined
        ? []
        : [{ instance, from: hostOf(publication.owner.client) }];
    });
    // The lists are in a step of the registry.
    for (const one of lacking) leases.later(() => leases.register({ serviceKey, ...one }, () => undefined));
    if (lacking.length > 0) return;
    changed.dueMs = nowMs + AGAIN_MS;
    const key = keyOf(serviceKey, registId);
    if (--changed.left === 0 && this.#changed.get(key) === changed) this.#changed.delete(key);
  }

  /** The instance of a client by HTTP, if it is not as operators want it. */
  #withoutWord({ payload, lease }: Publication, { serviceKey, registId }: Changed): NacosInstance | undefined {
    const listed = lease === undefined ? undefined : unpackInstance(payload);
    if (listed?.source !== NACOS) return undefined;
    const instance = fromInstance(listed);
    const wanted = this.#parts.records.changed(serviceKey, registId, instance);
    return equalPayloads(packInstance(toInstance(wanted)), payload) ? undefined : instance;
  }
}

function keyOf(serviceKey: ServiceKey, registId: string): string {
  return `${serviceKey}\n${registId}`;
}
