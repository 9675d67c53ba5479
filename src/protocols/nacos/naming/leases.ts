// Instances that are kept by heartbeats: clients by HTTP have no connection.
//
// Their publications have the ids of their addresses, as those of clients by gRPC. Where a connected client has the
// address, the instance is registered beside it; a heartbeat is for the one that there is.

import type { Budget } from "../../../base/budget.ts";
import type { RegistryError } from "../../../base/errors.ts";
import type { ServiceKey } from "../../../model/ids.ts";
import { packInstance } from "../../../model/instance.ts";
import type { Lease } from "../../../model/publication.ts";
import { LEASE_MS_MAX, LEASE_MS_MIN, type LeaseAnswer, type LeaseEvent } from "../../../registry/lease.ts";
import type { Registry } from "../../../registry/registry.ts";
import { type NacosInstance, preservedMs, registIdOf, toInstance } from "./instance.ts";
import { BESIDE, holderAt } from "./leaseIds.ts";
import type { LeaseWords } from "./leaseWords.ts";
import type { NamingRecords } from "./namingRecords.ts";

interface Parts {
  readonly registry: Pick<Registry, "step">;
  readonly budget: Pick<Budget, "open">;
  readonly zone: string;
  readonly later: (run: () => void) => void;
  readonly nowMs: () => number;
  readonly records: Pick<NamingRecords, "changed">;
  readonly words: Pick<LeaseWords, "registered" | "ended">;
}

/** An address of a service. */
export interface InstanceAddress extends Pick<NacosInstance, "ip" | "port" | "cluster"> {
  readonly serviceKey: ServiceKey;
}

/** The outcome of a request. Called once; not within a step of the registry. */
export type LeaseDone = (outcome: "done" | "unknown" | RegistryError) => void;

type Without<E> = E extends LeaseEvent ? Omit<E, "asker" | "account" | "untilMs"> : never;

// Clients wait 3 to 5 s for an answer.
const ANSWER_MS = 2_000;
// Of two requests the later one counts.
const VERSION = 1n;
const NO_ATTRIBUTES: ReadonlyMap<string, string> = new Map();

export class Leases {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Runs after the present step of the registry. */
  get later(): (run: () => void) => void {
    return this.#parts.later;
  }

  /** Registers an instance, or registers it again. `from`: the host of the caller. */
  register(
    {
      serviceKey,
      from,
      ...registered
    }: { readonly serviceKey: ServiceKey; readonly instance: NacosInstance; from: string },
    done: LeaseDone,
  ): void {
    const address = registIdOf(registered.instance);
    this.#parts.words.registered(serviceKey, address);
    const instance = this.#parts.records.changed(serviceKey, address, registered.instance);
    const lease = leaseOf(instance.metadata);
    const payload = packInstance(toInstance(instance));
    const put = (registId: string, then: LeaseDone) => {
      const publication = {
        ...{ serviceKey, registId, version: VERSION, payload },
        ...{ zone: this.#parts.zone, appName: "", attributes: NO_ATTRIBUTES },
      };
      this.#ask({ kind: "leased", holder: holderAt(from), publication, lease }, from, then);
    };
    put(address, (outcome) => {
      if (typeof outcome === "string" || outcome.code !== "REGISTRATION_HELD") return done(outcome);
      put(address + BESIDE, done);
    });
  }

  /** A heartbeat. "unknown": the client has to register again. */
  renew({ serviceKey, ...address }: InstanceAddress, from: string, done: LeaseDone): void {
    const registId = registIdOf(address);
    this.#ask({ kind: "leaseRenewed", serviceKey, registId }, from, (outcome) => {
      if (outcome !== "unknown") return done(outcome);
      this.#ask({ kind: "leaseRenewed", serviceKey, registId: registId + BESIDE }, from, done);
    });
  }

  /** Takes an instance back. */
  end({ serviceKey, ...address }: InstanceAddress, from: string, done: LeaseDone): void {
    const end = (registId: string, then: LeaseDone) => {
      this.#ask(
        { kind: "leaseEnded", holder: holderAt(from), key: { serviceKey, registId, version: VERSION } },
        from,
        then,
      );
    };
    const registId = registIdOf(address);
    this.#parts.words.ended(serviceKey, registId);
    end(registId, (outcome) => {
      if (outcome !== "done") return done(outcome);
      end(registId + BESIDE, done);
    });
  }

  #ask(event: Without<LeaseEvent>, from: string, done: LeaseDone): void {
    const { registry, budget, later, nowMs } = this.#parts;
    const account = budget.open(from);
    const asker = {
      answer: (answer: LeaseAnswer) => {
        account.close();
        later(() => done(outcomeOf(answer)));
      },
    };
    registry.step({ ...event, asker, account, untilMs: nowMs() + ANSWER_MS }, nowMs());
  }
}

function outcomeOf(answer: LeaseAnswer): "done" | "unknown" | RegistryError {
  if (answer.kind === "failed") return answer.error;
  return answer.kind === "accepted" ? "done" : "unknown";
}

/** The heartbeats that keep an instance, as its metadata says. */
export function leaseOf(metadata: ReadonlyMap<string, string>): Lease {
  const bounded = (ms: number) => Math.min(Math.max(ms, LEASE_MS_MIN), LEASE_MS_MAX);
  const unhealthyAfterMs = bounded(preservedMs("instanceHeartBeatTimeOut", metadata));
  const removedAfterMs = bounded(preservedMs("ipDeleteTimeout", metadata));
  return unhealthyAfterMs < removedAfterMs ? { unhealthyAfterMs, removedAfterMs } : { removedAfterMs };
}
