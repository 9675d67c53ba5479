// Session nodes that die or stand still. Their clients are not dead: nothing may be removed.

import { isJavaClient } from "../clients/workload.ts";
import { SESSIONS } from "../cluster/cluster.ts";
import type { Stage } from "../stage.ts";
import type { Scenario } from "./scenario.ts";
import { comeBack, freeze, kill, thaw, USUAL_CHURN } from "./steps.ts";

// The project's promise: clients of a dead session are served elsewhere within five seconds.
const SERVED_MS = 5_000;
// The Java client sleeps up to five seconds after each refused connection, and may take the dead session for its first.
const JAVA_SERVED_MS = 15_000;
const FROZEN_MS = 60_000;
// How long what the clients of a lost session publish is kept (session-lease-ms).
const SESSION_LEASE_MS = 30_000;

export const SESSION_SCENARIOS: readonly Scenario[] = [
  {
    name: "session-killed",
    about: "kill -9 of a session node with a third of the clients",
    lane: 1,
    hasJava: true,
    run: (stage) => killed(stage, [sessionOfJava(stage)], SERVED_MS),
  },
  {
    name: "two-sessions-killed",
    about: "kill -9 of two session nodes of three at once: all clients come to the third",
    lane: 1,
    run: (stage) => killed(stage, ["session1", "session2"], 2 * SERVED_MS),
  },
  {
    name: "session-frozen-5s",
    about: "SIGSTOP of a session node for 5 s; its clients wait",
    lane: 1,
    run: (stage) => frozen(stage, 5_000),
  },
  {
    name: "session-frozen-60s",
    about: "SIGSTOP of a session node for 60 s: no member any more, its clients still there",
    lane: 1,
    run: (stage) => frozen(stage, FROZEN_MS),
  },
];

async function killed(stage: Stage, sessions: readonly string[], limitMs: number): Promise<void> {
  const clients = sessions.flatMap((session) => [...stage.clientsOf(session)]);
  const own = clients.filter((client) => !isJavaClient(client));
  const java = clients.filter(isJavaClient);
  stage.startChurn(USUAL_CHURN);
  const sinceMs = await kill(stage, ...sessions);
  const shown = stage.changesAreShown({
    sinceMs,
    limitMs,
    mayChange: ({ client }) => !clients.includes(client),
    isAwaited: (client) => !java.includes(client),
  });
  await servedWithin(stage, own, { sinceMs, limitMs, what: "clients" });
  await servedWithin(stage, java, { sinceMs, limitMs: JAVA_SERVED_MS, what: "Java clients" });
  stage.times.detectionMs = firstLossMs(stage, sinceMs);
  await shown;
  await comeBack(stage, ...sessions);
}

/** The session with the most Java clients: which one they begin at is their own choice. */
function sessionOfJava(stage: Stage): string {
  const java = (session: string) => [...stage.clientsOf(session)].filter(isJavaClient).length;
  return [...SESSIONS].sort((a, b) => java(b) - java(a))[0] ?? "session1";
}

async function servedWithin(
  stage: Stage,
  clients: readonly string[],
  { sinceMs, limitMs, what }: { sinceMs: number; limitMs: number; what: string },
): Promise<void> {
  if (clients.length === 0) return;
  if (!(await stage.fleet.until(() => isServed(stage, clients, sinceMs), limitMs - stage.sinceMs(sinceMs)))) {
    return stage.fail(`not all ${what} were served elsewhere within ${limitMs} ms`);
  }
  stage.notes.push(`${clients.length} ${what} served elsewhere after ${(stage.sinceMs(sinceMs) / 1_000).toFixed(1)} s`);
}

async function frozen(stage: Stage, durationMs: number): Promise<void> {
  const clients = stage.clientsOf("session2");
  stage.startChurn(USUAL_CHURN, ({ client }) => !clients.has(client));
  const sinceMs = await freeze(stage, "session2");
  const shown = stage.changesAreShown({
    sinceMs,
    limitMs: durationMs + SERVED_MS,
    mayChange: ({ client }) => !clients.has(client),
  });
  if (durationMs > SESSION_LEASE_MS) {
    const isGone = async () => !(await stage.cluster.status()).members.has("session2");
    await stage.noticed(sinceMs, durationMs, isGone);
    // Its clients notice after a minute, as the Java client does; the registry gives up after the lease.
    stage.absences.push({ clients, fromMs: sinceMs + SESSION_LEASE_MS, untilMs: sinceMs + durationMs + SERVED_MS });
    stage.notes.push("what its clients publish is gone from the session lease's end until it wakes up");
  }
  await stage.pause(durationMs - stage.sinceMs(sinceMs));
  await thaw(stage, "session2");
  await shown;
}

/** Whether each of these clients has another connection and all its registrations acknowledged on it. */
function isServed({ fleet }: Stage, clients: readonly string[], sinceMs: number): boolean {
  const { connections, registrations } = fleet.records;
  const connectedMs = (client: string) => connections.get(client)?.t ?? 0;
  return (
    clients.every((client) => connectedMs(client) > sinceMs) &&
    [...registrations.values()].every(
      ({ client, acks }) => !clients.includes(client) || (acks.at(-1)?.t ?? 0) >= connectedMs(client),
    )
  );
}

function firstLossMs(stage: Stage, sinceMs: number): number {
  const first = stage.fleet.events.find(({ kind, t }) => kind === "closed" && t >= sinceMs);
  return (first?.t ?? sinceMs) - sinceMs;
}
