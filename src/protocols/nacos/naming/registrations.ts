// The registrations of clients by gRPC. An ephemeral registration of Nacos is that of a connection for a service: the
// next one of the same connection replaces it, and a batch is one registration of several instances.
//
// In the registry each instance is a publication, whose id is the instance's address: a client that comes back on a new
// connection has it again at once, without a change that anybody could see. Where another living connection has it, as
// when two clients register one address, the second one registers beside it, under an id of its own; lists show an
// address once, and it stays until both are gone.

import type { RegistryError } from "../../../base/errors.ts";
import type { ServiceKey } from "../../../model/ids.ts";
import { packInstance } from "../../../model/instance.ts";
import type { ClientEvent, Outcome, PublishRequest, Registry } from "../../../registry/registry.ts";
import type { NacosClient } from "../part.ts";
import { type NacosInstance, registIdOf, toInstance } from "./instance.ts";
import type { NamingRecords } from "./namingRecords.ts";

interface Parts {
  readonly registry: Pick<Registry, "step">;
  readonly zone: string;
  readonly nowMs: () => number;
  readonly later: (run: () => void) => void;
  readonly records: Pick<NamingRecords, "changed">;
}

/** An instance of a registration, and the id of its publication. */
interface Entry {
  readonly registId: string;
  readonly instance: NacosInstance;
  readonly appName: string;
}

/** The registration of one connection for one service: instances by the ids of their addresses. */
type Held = Map<string, Entry>;

/** Called once; undefined: all is done. */
export type Done = (error: RegistryError | undefined) => void;

// Clients count no versions: of two requests the later one counts.
const VERSION = 1n;
/** The most instances of one batch. */
export const BATCH_MAX = 10_000;

export class Registrations {
  readonly #parts: Parts;
  readonly #held = new Map<NacosClient, Map<ServiceKey, Held>>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Registers these instances, in place of those of an earlier request of the connection. */
  register(client: NacosClient, { serviceKey, instances, appName }: Registered, done: Done): void {
    if (instances.length === 0) return this.deregister(client, serviceKey, done);
    const services = this.#held.get(client) ?? new Map<ServiceKey, Held>();
    this.#held.set(client, services);
    const held: Held = services.get(serviceKey) ?? new Map();
    services.set(serviceKey, held);
    const wanted = new Map(instances.map((instance) => [registIdOf(instance), instance]));
    const used = new Set([...held.values()].map(({ registId }) => registId));
    const left = [...held].filter(([address]) => !wanted.has(address)).map(([address, entry]) => ({ address, entry }));
    const come = [...wanted.keys()].filter((address) => !held.has(address)).length;
    const settled = allOf(wanted.size + Math.max(0, left.length - come), done);
    for (const [address, instance] of wanted) {
      const known = held.get(address)?.registId ?? takenOver(held, left);
      const registId = known ?? (used.has(address) ? besideId(client, address) : address);
      const entry = { registId, instance, appName };
      held.set(address, entry);
      this.#publish(client, { serviceKey, address, held, entry, isKnown: known !== undefined }, settled);
    }
    for (const { address, entry } of left) this.#unpublish(client, { serviceKey, address, entry, held }, settled);
  }

  /** Takes the connection's registration for a service back. */
  deregister(client: NacosClient, serviceKey: ServiceKey, done: Done): void {
    const services = this.#held.get(client);
    const held = services?.get(serviceKey) ?? new Map<string, Entry>();
    services?.delete(serviceKey);
    if (held.size === 0) return done(undefined);
    const settled = allOf(held.size, done);
    for (const [address, entry] of [...held]) this.#unpublish(client, { serviceKey, address, entry, held }, settled);
  }

  /** Operators want an address otherwise now: clients that have it publish it anew. Not in a step of the registry. */
  changed(serviceKey: ServiceKey, address: string): void {
    for (const [client, services] of this.#held) {
      const held = services.get(serviceKey);
      const entry = held?.get(address);
      if (held === undefined || entry === undefined) continue;
      this.#publish(client, { serviceKey, address, held, entry, isKnown: true }, () => undefined);
    }
  }

  /** The instances that a client has registered, with their services. */
  *registeredBy(client: NacosClient): Iterable<readonly [ServiceKey, NacosInstance]> {
    for (const [serviceKey, held] of this.#held.get(client) ?? []) {
      for (const { instance } of held.values()) yield [serviceKey, instance];
    }
  }

  /** The connection is over; the registry takes its publications back by itself. */
  ended(client: NacosClient): void {
    this.#held.delete(client);
  }

  #publish(client: NacosClient, wanted: Wanted, done: Done): void {
    const { serviceKey, address, held, entry } = wanted;
    const { registId, instance, appName } = entry;
    const request = client.channel.request((outcome: Outcome) => {
      if (outcome.kind === "accepted") return done(undefined);
      if (outcome.error.code !== "REGISTRATION_HELD" || registId !== address) {
        this.#refused(client, wanted);
        return done(outcome.error);
      }
      // Outcomes come within a step of the registry.
      this.#parts.later(() => {
        if (client.isEnded || held.get(address) !== entry) return done(outcome.error);
        const beside = { ...entry, registId: besideId(client, address) };
        held.set(address, beside);
        this.#publish(client, { ...wanted, entry: beside, isKnown: false }, done);
      });
    });
    const publication: PublishRequest = {
      serviceKey,
      registId,
      version: VERSION,
      zone: this.#parts.zone,
      appName,
      attributes: NO_ATTRIBUTES,
      payload: packInstance(toInstance(this.#parts.records.changed(serviceKey, address, instance))),
    };
    this.#tell({ kind: "published", client: client.id, request, publication });
  }

  /** An instance that was there before the refused request still is, and its client can take it back. */
  #refused(client: NacosClient, { serviceKey, address, held, entry, isKnown }: Wanted): void {
    if (isKnown || held.get(address) !== entry) return;
    held.delete(address);
    const services = this.#held.get(client);
    if (held.size === 0 && services?.get(serviceKey) === held) services.delete(serviceKey);
  }

  #unpublish(client: NacosClient, { serviceKey, address, held, entry }: Omit<Wanted, "isKnown">, done: Done): void {
    const { registId } = entry;
    held.delete(address);
    const request = client.channel.request((outcome: Outcome) => {
      // One that another client holds by now is not this client's any more.
      if (outcome.kind === "accepted" || outcome.error.code === "REGISTRATION_HELD") return done(undefined);
      // It is still there: the next request takes it back.
      const services = this.#held.get(client);
      const now = services?.get(serviceKey) ?? held;
      services?.set(serviceKey, now);
      if (!now.has(address)) now.set(address, entry);
      done(outcome.error);
    });
    this.#tell({ kind: "unpublished", client: client.id, request, key: { serviceKey, registId, version: VERSION } });
  }

  #tell(event: ClientEvent): void {
    this.#parts.registry.step(event, this.#parts.nowMs());
  }
}

/** The id of an address that goes, for one that comes: subscribers see one change. */
function takenOver(held: Held, left: { readonly address: string; readonly entry: Entry }[]): string | undefined {
  const taken = left.pop();
  if (taken !== undefined) held.delete(taken.address);
  return taken?.entry.registId;
}

/** For an address whose own id another one has: of another client, or of the same registration before. */
function besideId({ connectionId }: NacosClient, address: string): string {
  return `${address}#${connectionId}`;
}

const NO_ATTRIBUTES: ReadonlyMap<string, string> = new Map();

/** A registration of a connection. */
export interface Registered {
  readonly serviceKey: ServiceKey;
  readonly instances: readonly NacosInstance[];
  /** The client's application; empty if it names none. */
  readonly appName: string;
}

interface Wanted {
  readonly serviceKey: ServiceKey;
  readonly address: string;
  readonly held: Held;
  readonly entry: Entry;
  /** The registry has it already, under the same id. */
  readonly isKnown: boolean;
}

/** Calls `done` after `count` outcomes, with the first error among them. */
function allOf(count: number, done: Done): Done {
  let left = count;
  let first: RegistryError | undefined;
  return (error) => {
    first ??= error;
    if (--left === 0) done(first);
  };
}
