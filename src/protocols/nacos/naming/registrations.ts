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

  /** The services for which a client has registered something. */
  servicesOf(client: NacosClient): Iterable<ServiceKey> {
    return this.#held.get(client)?.keys() ?? [];
  }

  /** Registers these instances, in place of those of an earlier request of the connection. */
  register(client: NacosClient, { serviceKey, instances, appName }: Registered, done: Done): void {
    const services = this.#held.get(client) ?? new Map<ServiceKey, Held>();
    this.#held.set(client, services);
    const held: Held = services.get(serviceKey) ?? new Map();
    services.set(serviceKey, held);
    const wanted = new Map(instances.map((instance) => [registIdOf(instance), instance]));
    const settled = allOf(wanted.size, done);
    const used = new Set([...held.values()].map(({ registId }) => registId));
    const left = [...held]
      .filter(([address]) => !wanted.has(address))
      .map(([address, entry]) => ({ address, ...entry }));
    for (const [address, instance] of wanted) {
      const registId =
        held.get(address)?.registId ??
        takenOver(held, left) ??
        (used.has(address) ? besideId(client, address) : address);
      held.set(address, { registId, instance, appName });
      this.#publish(client, { serviceKey, instance, appName, registId, address, held }, settled);
    }
    for (const { address, registId } of left) this.#unpublish(client, { serviceKey, address, registId, held });
    if (wanted.size === 0) done(undefined);
  }

  /** Takes the connection's registration for a service back. */
  deregister(client: NacosClient, serviceKey: ServiceKey): void {
    const services = this.#held.get(client);
    const held = services?.get(serviceKey);
    if (held === undefined) return;
    services?.delete(serviceKey);
    for (const [address, { registId }] of [...held]) this.#unpublish(client, { serviceKey, address, registId, held });
  }

  /** Operators want an address otherwise now: clients that have it publish it anew. Not in a step of the registry. */
  changed(serviceKey: ServiceKey, address: string): void {
    for (const [client, services] of this.#held) {
      const held = services.get(serviceKey);
      const entry = held?.get(address);
      if (held === undefined || entry === undefined) continue;
      this.#publish(client, { serviceKey, address, held, ...entry }, () => undefined);
    }
  }

  /** The connection is over; the registry takes its publications back by itself. */
  ended(client: NacosClient): void {
    this.#held.delete(client);
  }

  #publish(client: NacosClient, wanted: Wanted, done: Done): void {
    const { serviceKey, registId, address, instance, appName, held } = wanted;
    const request = client.channel.request((outcome: Outcome) => {
      if (outcome.kind === "accepted") return done(undefined);
      if (outcome.error.code !== "REGISTRATION_HELD" || registId !== address) {
        if (held.get(address)?.registId === registId) held.delete(address);
        return done(outcome.error);
      }
      // Outcomes come within a step of the registry.
      const beside = besideId(client, address);
      this.#parts.later(() => {
        if (client.isEnded || held.get(address)?.registId !== registId) return done(outcome.error);
        held.set(address, { registId: beside, instance, appName });
        this.#publish(client, { ...wanted, registId: beside }, done);
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

  #unpublish(
    client: NacosClient,
    { serviceKey, address, registId, held }: Pick<Wanted, "serviceKey" | "address" | "registId" | "held">,
  ): void {
    held.delete(address);
    const request = client.channel.request(() => undefined);
    this.#tell({ kind: "unpublished", client: client.id, request, key: { serviceKey, registId, version: VERSION } });
  }

  #tell(event: ClientEvent): void {
    this.#parts.registry.step(event, this.#parts.nowMs());
  }
}

/** The id of an address that goes, for one that comes: subscribers see one change. */
function takenOver(held: Held, left: { readonly address: string; readonly registId: string }[]): string | undefined {
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

interface Wanted extends Omit<Registered, "instances"> {
  readonly instance: NacosInstance;
  readonly address: string;
  readonly registId: string;
  readonly held: Held;
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
