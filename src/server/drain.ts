// An orderly stop of a node that is part of a cluster: it hands over what it has before it ends, so that nobody
// notices. A session's clients come back through other sessions, a data node's slots are led by others, a leading meta
// node lets the lead go. Nothing here is needed for the cluster to go on: a node that is killed costs it a second or
// two.

import type { Clock, Log, Timers } from "../base/ports.ts";
import type { Stepper } from "../base/stepper.ts";
import type { Data } from "../data/data.ts";
import type { DataEvent } from "../data/dataPorts.ts";
import type { Session, SessionEvent } from "../session/session.ts";
import type { TcpListener } from "../transport/tcp.ts";
import type { Config } from "./config/table.ts";
import type { MetaHost } from "./metaHost.ts";
import type { NodeNetwork } from "./nodeNetwork.ts";
import type { Roles } from "./roles.ts";

/** What a stop asks of the roles of this process. */
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
  /** The clients' door, where the role session is here. */
  readonly bolt: Pick<TcpListener, "connections" | "stopListening" | "endSome"> | undefined;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
}

// Of a client that is closed another session hears within milliseconds; a hundred a second are no load for anybody.
const CLIENT_MS = 10;
// What a session has answered its clients is at the data nodes within milliseconds, or these are away.
const SESSION_MS_MAX = 5_000;
// A store that does not answer will end the lease by itself.
const RESIGN_MS_MAX = 2_000;
// Without a meta node nobody can be given the slots; one that restarts is back within so long.
const META_AWAY_MS = 3_000;
// Where a data node stays, it follows every slot within a heartbeat, and a slot is copied in far less than so long: a
// node for which nothing moves is left by nodes that all stop together, and each would wait for the others in vain.
// With the time for shutting down this is well below the 30 s after which Kubernetes kills.
const NOTHING_MOVES_MS = 10_000;
const POLL_MS = 20;

/** Resolves when the node has nothing left that others would miss, or when its time is over. */
export async function drain(parts: DrainParts): Promise<void> {
  const { roles, log } = parts;
  log.info("the node hands its work over", { node: roles.id });
  await Promise.all([
    roles.session === undefined ? undefined : drainSession(parts, roles.session),
    roles.data === undefined ? undefined : drainData(parts, roles.data),
  ]);
  if (roles.meta !== undefined) await Promise.race([roles.meta.resign(), passed(parts, RESIGN_MS_MAX)]);
}

async function drainSession(parts: DrainParts, { session, stepper }: DrainedSession): Promise<void> {
  const { bolt, config, roles, clock } = parts;
  bolt?.stopListening();
  const others = (session.members?.list ?? []).filter(({ id, role }) => role === "session" && id !== roles.id);
  // Clients without another session to go to wait for this one to come back, and keep what they have until then.
  if (others.length === 0 || bolt === undefined) return;
  stepper.step({ kind: "drain" });
  const clients = bolt.connections;
  const startMs = clock.nowMs();
  const spreadMs = Math.min(config.drainSpreadMs, clients * CLIENT_MS);
  await until(parts, spreadMs, () => {
    const share = spreadMs === 0 ? 1 : Math.min(1, (clock.nowMs() - startMs) / spreadMs);
    bolt.endSome(bolt.connections - Math.floor(clients * (1 - share)));
    return bolt.connections === 0;
  });
  bolt.endSome(bolt.connections);
  await until(parts, SESSION_MS_MAX, () => bolt.connections === 0 && session.isDrained);
  report(parts, "session", startMs, session.isDrained);
}

async function drainData(parts: DrainParts, { data, stepper }: DrainedData): Promise<void> {
  const { config, roles, clock } = parts;
  const owners = data.slotTable?.slots ?? [];
  const isAlone = owners.every(({ leader, followers }) => leader === roles.id && followers.length === 0);
  if (isAlone) return;
  const startMs = clock.nowMs();
  stepper.step({ kind: "leave" });
  let [metaMs, movedMs] = [startMs, startMs];
  let [epoch, kept] = [data.slotTable?.epoch, data.slotsKept];
  await until(parts, config.drainTimeoutMs, () => {
    const nowMs = clock.nowMs();
    if (roles.network.hasMeta) metaMs = nowMs;
    if (data.slotTable?.epoch !== epoch || data.slotsKept !== kept) movedMs = nowMs;
    [epoch, kept] = [data.slotTable?.epoch, data.slotsKept];
    // What it follows counts too: until another has copied it, this may be the last copy, should the leader die now.
    return kept === 0 || nowMs - metaMs > META_AWAY_MS || nowMs - movedMs >= NOTHING_MOVES_MS;
  });
  report(parts, "data", startMs, data.slotsKept === 0);
}

function report({ log, clock }: DrainParts, role: string, startMs: number, isDone: boolean): void {
  const tookMs = clock.nowMs() - startMs;
  if (isDone) log.info("a role has handed its work over", { role, tookMs });
  else log.warn("a role could not hand all of its work over in time", { role, tookMs });
}

/** Asks again and again until it is so, or for so long. */
async function until(parts: DrainParts, limitMs: number, isSo: () => boolean): Promise<void> {
  const endMs = parts.clock.nowMs() + limitMs;
  while (!isSo() && parts.clock.nowMs() < endMs) await passed(parts, POLL_MS);
}

function passed({ timers }: DrainParts, delayMs: number): Promise<void> {
  return new Promise((resolve) => void timers.after(delayMs, () => resolve()));
}
