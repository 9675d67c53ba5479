// What a client keeps of each of its registrations. An object lives from the first register to the acknowledged
// unregister, with one registId, and counts its own version up at every change; so the server can tell a repeated
// request from a newer one.

import type { WireText } from "../../../base/text.ts";
import type { ServiceName } from "../../../model/dataInfoId.ts";
import type { Scope } from "../../../model/scope.ts";

interface RegistrationState {
  readonly registId: string;
  readonly service: ServiceName;
  version: bigint;
  /** When it was last changed, or registered again after a reconnect. */
  timestampMs: number;
  /** What the client wants it to be; an unregistered one is forgotten once that is acknowledged. */
  isRegistered: boolean;
  /** The server has acknowledged exactly this version on this connection. */
  isDone: boolean;
  /** The server says that another client has it. */
  isHeldByAnother: boolean;
  /** How often the present version was sent on this connection, and when last. */
  sendCount: number;
  sentMs: number;
}

export interface Publisher extends RegistrationState {
  readonly kind: "publisher";
  boxes: readonly WireText[];
}

export interface Subscriber extends RegistrationState {
  readonly kind: "subscriber";
  readonly scope: Scope;
  readonly acceptMulti: boolean;
  /** By segment, the highest version that was taken: what is not higher is dropped, on later connections too. */
  readonly seenVersions: Map<string, bigint>;
}

export interface Configurator extends RegistrationState {
  readonly kind: "configurator";
  seenVersion: bigint;
}

export type Registration = Publisher | Subscriber | Configurator;

/**
 * A registration as it begins, not sent yet. The Java client counts publishers and subscribers from 1, configurators
 * from 0.
 */
export function newState(
  identity: { registId: string; service: ServiceName },
  version: bigint,
  nowMs: number,
): RegistrationState {
  const sent = { isDone: false, isHeldByAnother: false, sendCount: 0, sentMs: Number.NEGATIVE_INFINITY };
  return { ...identity, ...sent, version, timestampMs: nowMs, isRegistered: true };
}

/** Marks the present state as one that the server does not have. */
export function mustBeSent(registration: Registration, nowMs: number): void {
  registration.isDone = false;
  registration.sendCount = 0;
  registration.sentMs = Number.NEGATIVE_INFINITY;
  registration.timestampMs = nowMs;
}
