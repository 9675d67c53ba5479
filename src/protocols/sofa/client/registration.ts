// A client's record of each of its registrations. It lives from the first register to the acknowledged unregister, has
// one registId, and increments its own version at every change, so that the server can tell a repeated request from a
// newer one.

import type { WireText } from "../../../base/text.ts";
import type { Scope } from "../../../model/scope.ts";
import type { ServiceName } from "../serviceName.ts";

interface RegistrationState {
  readonly registId: string;
  readonly service: ServiceName;
  version: bigint;
  /** The time of the last change, or of the last register after a reconnect. */
  timestampMs: number;
  /** The state that the client wants; an unregistered one is forgotten once the server has acknowledged it. */
  isRegistered: boolean;
  /** The server has acknowledged exactly this version on this connection. */
  isDone: boolean;
  /** The server reports that another client holds it. */
  isHeldByAnother: boolean;
  /** The number of sends of the present version on this connection, and the time of the last. */
  sendCount: number;
  sentMs: number;
}

export interface Publisher extends RegistrationState {
  readonly kind: "publisher";
  boxes: readonly WireText[];
  readonly attributes: ReadonlyMap<string, string>;
}

export interface Subscriber extends RegistrationState {
  readonly kind: "subscriber";
  readonly scope: Scope;
  readonly acceptMulti: boolean;
  /** The highest version accepted in each segment: anything not higher is dropped, on later connections too. */
  readonly seenVersions: Map<string, bigint>;
}

export interface Configurator extends RegistrationState {
  readonly kind: "configurator";
  seenVersion: bigint;
}

export type Registration = Publisher | Subscriber | Configurator;

/**
 * A new registration, not sent yet. The Java client counts publishers and subscribers from 1, configurators from 0.
 */
export function newState(
  identity: { registId: string; service: ServiceName },
  version: bigint,
  nowMs: number,
): RegistrationState {
  const sent = { isDone: false, isHeldByAnother: false, sendCount: 0, sentMs: Number.NEGATIVE_INFINITY };
  return { ...identity, ...sent, version, timestampMs: nowMs, isRegistered: true };
}

/** Marks the present state as unknown to the server. */
export function mustBeSent(registration: Registration, nowMs: number): void {
  registration.isDone = false;
  registration.sendCount = 0;
  registration.sentMs = Number.NEGATIVE_INFINITY;
  registration.timestampMs = nowMs;
}
