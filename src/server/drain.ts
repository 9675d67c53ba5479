// An orderly stop of a node in a cluster: it hands over its work before it ends, so that clients notice nothing. A
// session's clients come back through other sessions, other nodes lead a data node's slots, a leading meta node
// releases the lead. The cluster does not depend on it: a killed node costs it a second or two.

import type { Clock, Log, Timers } from "../base/ports.ts";
import type { Stepper } from "../base/stepper.ts";
import type { NodeNetwork } from "../cluster/links/nodeNetwork.ts";
import type { Data } from "../data/data.ts";
import type { DataEvent } from "../data/dataPorts.ts";
import { DataHandOver, isAlone } from "../data/handOver.ts";
import { hasOtherSessions, SessionHandOver } from "../session/handOver.ts";
import type { Session } from "../session/session.ts";
import type { SessionEvent } from "../session/sessionPorts.ts";
import type { ClientListeners } from "./clientListeners.ts";
import type { Config } from "./config/table.ts";
import type { MetaHost } from "./metaHost.ts";
import type { Roles } from "./roles.ts";

/** The view of this process's roles that a stop needs. */
interface DrainedRoles extends Pick<Roles, "id"> {
  readonly network: Pick<NodeNetwork, "hasMeta">;
  readonly meta: Pick<MetaHost, "resign"> | undefined;
  readonly data: DrainedData | undefined;
  readonly session: DrainedSession | undefined;
}

interface DrainedData {
  readonly data: Pick<Data, "slotTable" | "slotsKept">;
  readonly stepper: Pick<Stepper<DataEvent>, "step">;
}

interface DrainedSession {
  readonly session: Pick<Session, "members" | "isDrained">;
  readonly stepper: Pick<Stepper<SessionEvent>, "step">;
}

export interface DrainParts {
  readonly config: Pick<Config, "drainSpreadMs" | "drainTimeoutMs">;
  readonly roles: DrainedRoles;
  /** The ports for clients, if the role session is here. */
  readonly listeners: Pick<ClientListeners, "connections" | "stopListening" | "endSome"> | undefined;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
}

// A store that does not answer will end the lease by itself.
const RESIGN_MS_MAX = 2_000;
const POLL_MS = 20;

/** Resolves when the node has nothing left that others would miss, or when its time is over. */
export async function drain(parts: DrainParts): Promise<void> {
  const { roles, log } = parts;
  log.info("this node is handing over its work", { node: roles.id });
  await Promise.all([
    roles.session === undefined ? undefined : drainSession(parts, roles.session),
    roles.data === undefined ? undefined : drainData(parts, roles.data),
  ]);
  if (roles.meta !== undefined) await Promise.race([roles.meta.resign(), passed(parts, RESIGN_MS_MAX)]);
}

async function drainSession(parts: DrainParts, { session, stepper }: DrainedSession): Promise<void> {
  const { listeners, config, roles, clock } = parts;
  listeners?.stopListening();
  if (listeners === undefined || !hasOtherSessions(session.members, roles.id)) return;
  stepper.step({ kind: "drain" });
  const startMs = clock.nowMs();
  const handOver = new SessionHandOver({ clients: listeners.connections, spreadMsMax: config.drainSpreadMs }, startMs);
  await until(parts, () => {
    const { connections } = listeners;
    listeners.endSome(handOver.due(connections, clock.nowMs()));
    return handOver.isOver({ connections: listeners.connections, isDrained: session.isDrained }, clock.nowMs());
  });
  report(parts, "session", startMs, session.isDrained);
}

async function drainData(parts: DrainParts, { data, stepper }: DrainedData): Promise<void> {
  const { config, roles, clock } = parts;
  if (isAlone(data.slotTable, roles.id)) return;
  const startMs = clock.nowMs();
  stepper.step({ kind: "leave" });
  const handOver = new DataHandOver(config.drainTimeoutMs, startMs);
  await until(parts, () => {
    const { slotsKept, slotTable } = data;
    return handOver.isOver({ slotsKept, epoch: slotTable?.epoch, hasMeta: roles.network.hasMeta }, clock.nowMs());
  });
  report(parts, "data", startMs, data.slotsKept === 0);
}

function report({ log, clock }: DrainParts, role: string, startMs: number, isDone: boolean): void {
  const tookMs = clock.nowMs() - startMs;
  if (isDone) log.info("a role has handed over its work", { role, tookMs });
  else log.warn("a role could not hand over all of its work in time", { role, tookMs });
}

/** Checks again and again until it is so. */
async function until(parts: DrainParts, isSo: () => boolean): Promise<void> {
  while (!isSo()) await passed(parts, POLL_MS);
}

function passed({ timers }: DrainParts, delayMs: number): Promise<void> {
  return new Promise((resolve) => void timers.after(delayMs, () => resolve()));
}
