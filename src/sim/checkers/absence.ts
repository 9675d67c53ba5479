// When a registration may be missing from a list although nobody took it back: while its client counts as gone. This
// file says from when to when that is, by the promises: a lost connection counts after the grace unless the client is
// back, a dead session after its lease, a data node that restarts shows what it has after its hold.

import type { Plan } from "../plan.ts";
import type { Acknowledgement, KnownClient, KnownRegistration, Loss, Registrations } from "./registrations.ts";

/** An open end is Infinity. */
export interface Absence {
  readonly fromMs: number;
  readonly untilMs: number;
}

// A client that is back re-registers one by one; each must follow the one before within this.
const RETURN_PROGRESS_MS = 5_000;
// At another session a return counts when the data node has heard of it: so long before the grace ends it must be
// acknowledged there.
const OTHER_SESSION_MS = 300;
// A session that starts learns from the next heartbeat but one where to send what.
const SESSION_START_MS = 2_500;
// From an acknowledgement to the data node, with a busy link and a batch before it.
const TRAVEL_MS = 1_000;

/** All absences of a registration that may explain that it is missing. */
export function absencesOf(registration: KnownRegistration, registrations: Registrations, plan: Plan): Absence[] {
  const client = registrations.client(registration.client);
  return client.losses.flatMap((loss) => [
    ...absenceByLoss({ loss, client, registration }, registrations, plan),
    ...absenceByRestart({ loss, client, registration }, registrations, plan),
  ]);
}

interface Case {
  readonly loss: Loss;
  readonly client: KnownClient;
  readonly registration: KnownRegistration;
}

function absenceByLoss(
  { loss, client, registration }: Case,
  registrations: Registrations,
  { config }: Plan,
): Absence[] {
  const graceMs = loss.isSessionDead ? config.sessionLeaseMs : config.clientReturnGraceMs;
  const endMs = loss.atMs + graceMs;
  const back = returnAfter(loss, registration, client);
  if (back !== undefined && isInTime({ back, loss, client, endMs }, registrations, config.sessionLeaseMs)) return [];
  const lateMs = back === undefined ? Number.POSITIVE_INFINITY : settledMs(back, registrations);
  return [{ fromMs: endMs - (loss.isSessionDead ? OTHER_SESSION_MS : 0), untilMs: lateMs }];
}

/** The first return that the data nodes can have heard of: a session that dies right after it has passed nothing on. */
function returnAfter(loss: Loss, registration: KnownRegistration, client: KnownClient): Acknowledgement | undefined {
  return registration.acknowledgements.find(({ connection, atMs }) => {
    const end = client.losses.find((other) => other.isSessionDead && other.connection === connection);
    return connection > loss.connection && (end === undefined || end.atMs > atMs + SESSION_START_MS);
  });
}

interface Return {
  readonly back: Acknowledgement;
  readonly loss: Loss;
  readonly client: KnownClient;
  readonly endMs: number;
}

function isInTime({ back, loss, client, endMs }: Return, registrations: Registrations, leaseMs: number): boolean {
  if (back.session !== loss.session || loss.isSessionDead) {
    const wasLinked = registrations.linkTroubleMs < loss.atMs - TRAVEL_MS || loss.isSessionDead;
    return wasLinked && back.atMs <= endMs - OTHER_SESSION_MS;
  }
  if (back.atMs >= loss.atMs + leaseMs) return false;
  let untilMs = endMs;
  for (const { connection, atMs } of client.acknowledgements) {
    if (connection <= loss.connection || atMs > back.atMs) continue;
    if (atMs > untilMs) return false;
    untilMs = Math.max(untilMs, atMs + RETURN_PROGRESS_MS);
  }
  return back.atMs <= untilMs;
}

/** A data node without memory shows a service after the hold, with whoever is back by then. */
function absenceByRestart(
  { loss, client, registration }: Case,
  registrations: Registrations,
  { config }: Plan,
): Absence[] {
  const back = returnAfter(loss, registration, client);
  return registrations.dataRestarts.flatMap(({ startMs }) => {
    const fromMs = startMs + config.restartHoldMs - OTHER_SESSION_MS;
    if (loss.atMs > startMs + config.restartHoldMs) return [];
    if (back !== undefined && back.atMs < fromMs - TRAVEL_MS && registrations.linkTroubleMs < fromMs - TRAVEL_MS)
      return [];
    return [{ fromMs, untilMs: back === undefined ? Number.POSITIVE_INFINITY : settledMs(back, registrations) }];
  });
}

function settledMs({ atMs }: Acknowledgement, { linkTroubleMs }: Registrations): number {
  return Math.max(atMs, linkTroubleMs > atMs - TRAVEL_MS ? linkTroubleMs : 0) + TRAVEL_MS;
}
