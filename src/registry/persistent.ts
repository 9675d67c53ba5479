// Registrations that stay until they are taken back, whatever becomes of their client and of any node: Nacos'
// persistent instances, services of Consul's agents and catalogue. They are records of the durable store. One session
// of the cluster keeps each of them registered and makes its checks (src/persistent, docs/internals/persistent.md).

import type { Account } from "../base/budget.ts";
import type { RegistryError } from "../base/errors.ts";
import type { Cancel } from "../base/ports.ts";
import type { Check, CheckResult, CheckState } from "../model/check.ts";
import type { ClientId, NodeId, ServiceKey } from "../model/ids.ts";
import type { Instance } from "../model/instance.ts";

/** Names a registration. `registId` is the protocol's own, and stable for the instance: `nacos:10.0.0.1#80#DEFAULT`. */
export interface PersistentKey {
  readonly serviceKey: ServiceKey;
  readonly registId: string;
}

/** A registration, as a client has put it. */
export interface PersistentRegistration extends PersistentKey {
  /**
   * Names it in lists of operators and in rules, which match its host: `host:port_` with the host of the instance,
   * followed by anything.
   */
  readonly holder: ClientId;
  /** The zone for SOFARegistry's subscribers. */
  readonly zone: string;
  readonly appName: string;
  readonly instance: Instance;
  readonly checks: readonly Check[];
}

/** A registration as it is kept. */
export interface KeptRegistration {
  readonly registration: PersistentRegistration;
  /** Of its record: grows with each change of it. */
  readonly revision: bigint;
  /** The session that keeps it and makes its checks, as far as this node knows; undefined if none is known. */
  readonly keeper: NodeId | undefined;
  /** In the order of the definitions. */
  readonly checks: readonly CheckState[];
  /** Whether its checks let it be called: none is critical. */
  readonly isHealthy: boolean;
}

/** The answer to a change. */
export type PersistentAnswer =
  /**
   * The store has it: it outlives every process. `isHeard`: the leader of the slot has it too, so that lists at this
   * session show it; otherwise they will.
   */
  | { readonly kind: "done"; readonly revision: bigint; readonly isHeard: boolean }
  /** Nothing is registered under this key, or the registration has no such check. */
  | { readonly kind: "unknown" }
  /**
   * FIELD_INVALID, PERSISTENT_EXHAUSTED, OVERLOADED: not made. VERSION_CONFLICT: it has another revision.
   * STORE_UNAVAILABLE: not made. STORE_OUTCOME_UNKNOWN: it may have been made, and can be repeated.
   * KEEPER_UNREACHABLE: a report did not reach the keeper.
   */
  | { readonly kind: "failed"; readonly error: RegistryError };

interface PersistentRequest {
  /** Called once, not before the call that asked has returned. */
  readonly done: (answer: PersistentAnswer) => void;
  /** The work is counted here. */
  readonly account: Account;
  /** The time at which it is answered at the latest, as failed if the outcome is not known by then. */
  readonly untilMs: number;
}

/** Puts a registration, in place of an earlier one under its key; checks of equal definition keep their status. */
export interface PutRequest extends PersistentRequest {
  readonly registration: PersistentRegistration;
  /** It is made only if the record has this revision; 0: only if there is none. Undefined: in any case. */
  readonly ifRevision?: bigint;
}

/** Takes a registration back. */
export interface RemoveRequest extends PersistentRequest {
  readonly key: PersistentKey;
  readonly ifRevision?: bigint;
}

/** Reports the status of a check without a probe; for one with a TTL it is the sign of life, too. */
export interface ReportRequest extends PersistentRequest {
  readonly key: PersistentKey;
  readonly check: string;
  readonly result: CheckResult;
}

/** The persistent registrations, at any session. Reads are of this node's own copy of the records. */
export interface PersistentRegistrations {
  /** False until the records have been read: nothing is known then, and nothing can be said not to be there. */
  readonly isKnown: boolean;
  find(key: PersistentKey): KeptRegistration | undefined;
  /** Those of a service; of all services without one. In no order. */
  list(serviceKey?: ServiceKey): Iterable<KeptRegistration>;
  put(request: PutRequest): void;
  remove(request: RemoveRequest): void;
  report(request: ReportRequest): void;
  /**
   * Has `listener` called after each change of a registration or of the status of its checks, with its key, until it is
   * cancelled.
   */
  onChange(listener: (key: PersistentKey) => void): Cancel;
  /**
   * The reason why this node would not make the probe of a check (ACTIVE_CHECKS_OFF, ADDRESS_DENIED): a protocol may
   * refuse such a definition. One that is put all the same keeps its initial status, and its output says why.
   */
  checkRefusal(check: Check): RegistryError | undefined;
}
