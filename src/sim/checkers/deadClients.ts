// Rule 5, the other side: a client that is dead, and known to be, is gone from the lists when its grace is over, or the
// lease of its session if that one is dead too, or had been told to stop before it lost the client. Checked whenever a
// data node shows a list, and whenever a session reports its list. A node that was cut off, stood still or began to
// lead meanwhile has its time from then on.

import { type NodeId, nodeId, type ServiceKey } from "../../model/ids.ts";
import type { Fact } from "../facts.ts";
import { RELINK_MS } from "./apart.ts";
import type { Checker, Evidence, Finding } from "./checker.ts";
import type { Commit } from "./commits.ts";
import type { ConnectionLoss, KnownRegistration } from "./registrations.ts";

const TRAVEL_MS = 1_000;
// A session that may have taken over a dead session's client is asked, and has this long to answer.
const ASK_MS = 5_000;
// A client that was asked whether it is there, just before its connection was lost, has this much longer to return.
const NEXT_TRY_MS = 1_500;

/** A list at a node now: at its service's leader, or at a session that reports it to the leader. */
interface Sight {
  readonly commit: Commit;
  readonly leader: NodeId;
  readonly session: NodeId;
  /** The leader shows it: it may be a scan's time ahead of a session. */
  readonly isTold: boolean;
  readonly nowMs: number;
}

export class DeadClients implements Checker {
  readonly #evidence: Evidence;
  // The time since which each data node knows that a session is no longer a member, by both.
  readonly #goneMs = new Map<NodeId, Map<NodeId, number>>();
  // The time at which each session was last told to ask a client, by session and client.
  readonly #challengedMs = new Map<string, number>();

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
  }

  see(fact: Fact, nowMs: number): Finding | undefined {
    const { commits } = this.#evidence;
    switch (fact.kind) {
      case "learned":
        if (fact.role === "data" && fact.message.kind === "members") this.#learned(fact.node, fact.message, nowMs);
        return undefined;
      case "told": {
        if (fact.message.kind === "challenged") this.#challenged(fact.to, fact.message.registrations, nowMs);
        const commit = commits.last?.commit;
        if (commit === undefined || commit !== commits.newest(commit.service)) return undefined;
        return this.#ghost({ commit, leader: fact.from, session: fact.to, isTold: true, nowMs });
      }
      case "asked": {
        if (fact.message.kind !== "scan" || fact.isLost) return undefined;
        for (const [service, { version, origin }] of fact.message.versions) {
          const commit = commits.at(service, version).find((one) => one.origin === origin);
          if (commit === undefined) continue;
          const finding = this.#ghost({ commit, leader: fact.to, session: fact.from, isTold: false, nowMs });
          if (finding !== undefined) return finding;
        }
        return undefined;
      }
      default:
        return undefined;
    }
  }

  #learned(node: NodeId, { members }: { members: { list: readonly { id: NodeId }[] } }, nowMs: number): void {
    const goneMs = this.#goneMs.get(node) ?? new Map<NodeId, number>();
    this.#goneMs.set(node, goneMs);
    const present = new Set(members.list.map(({ id }) => id));
    for (const id of present) goneMs.set(id, Number.POSITIVE_INFINITY);
    for (const [id, atMs] of goneMs) if (!present.has(id) && atMs === Number.POSITIVE_INFINITY) goneMs.set(id, nowMs);
  }

  #challenged(
    session: NodeId,
    asked: readonly { readonly serviceKey: ServiceKey; readonly registId: string }[],
    nowMs: number,
  ): void {
    for (const { serviceKey, registId } of asked) {
      for (const { client } of this.#evidence.registrations.twins(serviceKey, registId)) {
        this.#challengedMs.set(`${session} ${client}`, nowMs);
      }
    }
  }

  #ghost(sight: Sight): Finding | undefined {
    const { registrations, nodes } = this.#evidence;
    const { commit, leader, nowMs } = sight;
    const { service, version, content } = commit;
    if ((nodes.leaderOf(service) ?? leader) !== leader) return undefined;
    for (const registId of content.keys()) {
      const [registration, twin] = registrations.twins(service, registId);
      if (registration === undefined || twin !== undefined) continue;
      const { diedMs, open } = registrations.client(registration.client);
      if (diedMs === undefined || open.size > 0) continue;
      const dueMs = this.#dueMs(registration, diedMs, sight);
      if (nowMs <= dueMs) continue;
      const text = `${registId} is in v${version} at ${nowMs}; its client died at ${diedMs}, was due at ${dueMs}`;
      return { rule: "5 a cut is not a death", service, text };
    }
    return undefined;
  }

  /** The time until which the registration of a dead client may be seen. */
  #dueMs(registration: KnownRegistration, diedMs: number, { leader, session, isTold }: Sight): number {
    const { registrations, nodes, plan } = this.#evidence;
    const { client, service } = registration;
    const { losses } = registrations.client(client);
    const ends = losses.map((loss) => this.#endMs(registration, loss, leader));
    const endMs = Math.max(diedMs, ...ends);
    const calmMs = endMs + TRAVEL_MS;
    const lostMs = Math.max(diedMs, losses.at(-1)?.atMs ?? 0);
    // A leader that has taken over since the client's session died gives that session's lease anew. The client may have
    // died only after that, without a connection.
    const unconnectedMs = losses.at(-1)?.atMs ?? diedMs;
    const isLedAnew = nodes.lossesOf(service).some(({ atMs }) => atMs >= unconnectedMs);
    if (isTold && !isLedAnew && nodes.troubleMs < lostMs - TRAVEL_MS) return calmMs;
    const { digestIntervalMs, versionScanIntervalMs, sessionLeaseMs, restartHoldMs } = plan.config;
    const { lossProtectionPercent, lossProtectionMaxMs } = plan.config;
    // The next comparison finds a removal that was lost with its link, and the next scan a change.
    const repairMs = RELINK_MS + ASK_MS + 2 * digestIntervalMs + 2 * versionScanIntervalMs;
    const protectionMs = lossProtectionPercent < 100 ? lossProtectionMaxMs : 0;
    let dueMs = calmMs + repairMs + protectionMs;
    const sessions = [session, ...losses.map((loss) => loss.session)];
    for (const { fromMs, untilMs, settleMs } of nodes.apart(service, sessions, lostMs)) {
      if (fromMs <= dueMs) dueMs = Math.max(dueMs, untilMs + settleMs + sessionLeaseMs + repairMs + protectionMs);
    }
    // A new leader waits for the sessions, and after a restart for the publishers. Before that it sends no list.
    for (const { deadMs, atMs } of nodes.lossesOf(service)) {
      if (deadMs <= dueMs) dueMs = Math.max(dueMs, atMs + Math.max(sessionLeaseMs, restartHoldMs) + repairMs);
    }
    return dueMs;
  }

  /**
   * The time at which a lost connection counts: for a session that died with it, or was about to stop, a lease after
   * the leader has heard of the session's end.
   */
  #endMs(registration: KnownRegistration, loss: ConnectionLoss, leader: NodeId): number {
    const { nodes, plan } = this.#evidence;
    const { client } = registration;
    const { atMs, session } = loss;
    const { clientReturnGraceMs, sessionLeaseMs } = plan.config;
    const challengedMs = this.#challengedMs.get(`${session} ${client}`) ?? Number.NEGATIVE_INFINITY;
    const wasAsked = challengedMs <= atMs && atMs < challengedMs + TRAVEL_MS + NEXT_TRY_MS;
    const graceMs = clientReturnGraceMs + (wasAsked ? NEXT_TRY_MS : 0);
    const leftMs = atMs + stretched(graceMs, plan.clocks.drift);
    const stopMs = nodes.run("session", session)?.stopMs ?? Number.POSITIVE_INFINITY;
    if (stopMs > leftMs + TRAVEL_MS && !this.#isSentAway(registration, loss)) return leftMs;
    const goneMs = this.#goneMs.get(leader)?.get(nodeId(session)) ?? stopMs;
    return Math.max(goneMs, stopMs) + stretched(sessionLeaseMs, plan.clocks.drift);
  }

  /**
   * A session that was told to stop takes the clients that it loses for clients on their way to other sessions, and
   * reports none of them as gone, however long its process still hands over slots. Once a client has its registration
   * at another session, that one reports its end.
   */
  #isSentAway({ acknowledgements }: KnownRegistration, { atMs, session, connection }: ConnectionLoss): boolean {
    const leavingMs = this.#evidence.nodes.run("session", session)?.leavingMs ?? Number.POSITIVE_INFINITY;
    return leavingMs <= atMs && !acknowledgements.some((later) => later.connection > connection);
  }
}

/** The true time that a slow clock takes for this duration. */
function stretched(ms: number, drift: number): number {
  return ms * (1 + 2 * drift);
}
