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
import { Entries, type Entry, instanceOf } from "./entries.ts";
import { type NacosInstance, registIdOf, toInstance } from "./instance.ts";
import type { NamingRecords } from "./namingRecords.ts";

interface Parts {
  readonly registry: Pick<Registry, "step">;
  readonly zone: string;
  readonly nowMs: () => number;
  readonly later: (run: () => void) => void;
  readonly records: Pick<NamingRecords, "changed">;
}

/** Called once; undefined: all is done. */
export type Done = (error: RegistryError | undefined) => void;

// Clients count no versions: of two requests the later one counts.
const VERSION = 1n;
/** The most instances of one batch. */
export const BATCH_MAX = 10_000;

export class Registrations {
  readonly #parts: Parts;
  readonly #held = new Map<NacosClient, Map<ServiceKey, Entries>>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Registers these instances, in place of those of an earlier request of the connection. */
  register(client: NacosClient, { serviceKey, instances, appName }: Registered, done: Done): void {
    if (instances.length === 0) return this.deregister(client, serviceKey, done);
    // Its end was told already, and no one would drop what is kept for it now.
    if (client.isEnded) return;
    const services = this.#held.get(client) ?? new Map<ServiceKey, Entries>();
    this.#held.set(client, services);
    const held = services.get(serviceKey) ?? new Entries();
    services.set(serviceKey, held);
    const wanted = new Map(instances.map((instance) => [registIdOf(instance), instance]));
    const before = held.all();
    const used = new Set(before.map(({ registId }) => registId));
    const left = before.filter(({ address }) => !wanted.has(address));
    const come = [...wanted.keys()].filter((address) => held.get(address) === undefined).length;
    const settled = allOf(wanted.size + Math.max(0, left.length - come), done);
    for (const [address, instance] of wanted) {
      const known = held.get(address)?.registId ?? takenOver(held, left);
      const registId = known ?? (used.has(address) ? besideId(client, address) : address);
      const entry = { address, registId, payload: packInstance(toInstance(instance)), appName };
      held.set(entry);
      this.#publish(client, { serviceKey, held, entry, instance, isKnown: known !== undefined }, settled);
    }
    for (const entry of left) this.#unpublish(client, { serviceKey, entry, held }, settled);
  }

  /** Takes the connection's registration for a service back. */
  deregister(client: NacosClient, serviceKey: ServiceKey, done: Done): void {
    const services = this.#held.get(client);
    const held = services?.get(serviceKey);
    services?.delete(serviceKey);
    if (held === undefined || held.size === 0) return done(undefined);
    const settled = allOf(held.size, done);
    for (const entry of held.all()) this.#unpublish(client, { serviceKey, entry, held }, settled);
  }

  /** Operators want an address otherwise now: clients that have it publish it anew. Not in a step of the registry. */
  changed(serviceKey: ServiceKey, address: string): void {
    for (const [client, services] of this.#held) {
      const held = services.get(serviceKey);
      const entry = held?.get(address);
      if (held === undefined || entry === undefined) continue;
      const instance = instanceOf(entry);
      this.#publish(client, { serviceKey, held, entry, instance, isKnown: true }, () => undefined);
    }
  }

  /** The instances that a client has registered, with their services; those of one service, if it is given. */
  *registeredBy(client: NacosClient, only?: ServiceKey): Iterable<readonly [ServiceKey, NacosInstance]> {
    for (const [serviceKey, held] of this.#held.get(client) ?? []) {
      if (only !== undefined && serviceKey !== only) continue;
      for (const entry of held.all()) yield [serviceKey, instanceOf(entry)];
    }
  }

  /** The connection is over; the registry takes its publications back by itself. */
  ended(client: NacosClient): void {
    this.#held.delete(client);
  }

  #publish(client: NacosClient, wanted: Wanted, done: Done): void {
    const { serviceKey, held, entry, instance } = wanted;
    const { address, registId, payload, appName } = entry;
    const changed = this.#parts.records.changed(serviceKey, address, instance);
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
        held.set(beside);
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
      payload: changed === instance ? payload : packInstance(toInstance(changed)),
    };
    this.#tell({ kind: "published", client: client.id, request, publication });
  }

  /** An instance that was there before the refused request still is, and its client can take it back. */
  #refused(client: NacosClient, { serviceKey, held, entry, isKnown }: Wanted): void {
    if (isKnown || held.get(entry.address) !== entry) return;
    held.delete(entry.address);
    const services = this.#held.get(client);
    if (held.size === 0 && services?.get(serviceKey) === held) services.delete(serviceKey);
  }

  #unpublish(client: NacosClient, { serviceKey, held, entry }: Left, done: Done): void {
    const { address, registId } = entry;
    held.delete(address);
    const request = client.channel.request((outcome: Outcome) => {
      // One that another client holds by now is not this client's any more.
      if (outcome.kind === "accepted" || outcome.error.code === "REGISTRATION_HELD") return done(undefined);
      // It is still there: the next request takes it back.
      const services = this.#held.get(client);
      const now = services?.get(serviceKey) ?? held;
      services?.set(serviceKey, now);
      if (now.get(address) === undefined) now.set(entry);
      done(outcome.error);
    });
    this.#tell({ kind: "unpublished", client: client.id, request, key: { serviceKey, registId, version: VERSION } });
  }

  #tell(event: ClientEvent): void {
    this.#parts.registry.step(event, this.#parts.nowMs());
  }
}

/** The id of an address that goes, for one that comes: subscribers see one change. */
function takenOver(held: Entries, left: Entry[]): string | undefined {
  const taken = left.pop();
  if (taken !== undefined) held.delete(taken.address);
  return taken?.registId;
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

interface Left {
  readonly serviceKey: ServiceKey;
  readonly held: Entries;
  readonly entry: Entry;
}

interface Wanted extends Left {
  /** The instance of the entry. */
  readonly instance: NacosInstance;
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
