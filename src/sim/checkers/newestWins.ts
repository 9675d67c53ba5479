// Rule 1: of a client's states of a registration the newest wins, and a registration that it took back does not come
// back. Other clients that name the same registration have other addresses and versions of their own: owners.ts judges
// whether theirs may be shown.

import type { NodeId, ServiceKey } from "../../model/ids.ts";
import { compareStamps, type Stamp } from "../../model/publication.ts";
import type { Fact } from "../facts.ts";
import type { Span } from "./apart.ts";
import type { Checker, Evidence, Finding } from "./checker.ts";
import { type Commit, clientOf } from "./commits.ts";
import { isOfLeftBehind } from "./leftBehind.ts";

// A data node that lost its memory lost its tombstones too. A registration of a client's old connection at another
// session can then come back until that session has counted the connection out: an idle time, a grace and some travel.
const FORGETFUL_MS = 25_000;

// The time of a stamp that no server gave: only the client's wish is known.
const WANTED = 0;

/** A registration as a subscriber was shown it, and the list with it. */
interface Shown {
  readonly version: bigint;
  readonly list: bigint;
}

/** A stamp, and the version of the list that showed or removed it. */
interface Noted extends Stamp {
  readonly list: bigint;
}

export class NewestWins implements Checker {
  readonly #evidence: Evidence;
  readonly #hasOneMemory: boolean;
  // The newest stamp of each registration that any commit showed, or removed.
  readonly #newest = new Map<string, Noted>();
  // The newest version of each registration that each subscriber was shown.
  readonly #shown = new Map<string, { versions: Map<string, Shown>; session: string; list: bigint; lastMs: number }>();

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
    this.#hasOneMemory = evidence.plan.topology !== "cluster";
  }

  see(fact: Fact, nowMs: number): Finding | undefined {
    if (fact.kind === "pushed" && fact.isTaken) return this.#pushed(fact, nowMs);
    if (fact.kind !== "told") return undefined;
    const sighting = this.#evidence.commits.last;
    if (sighting === undefined || !sighting.isNew) return undefined;
    const finding = this.#committed(fact.from, sighting.commit, nowMs);
    this.#noteRemovals(fact);
    if (sighting.before !== undefined && sighting.isNewest) {
      this.#noteUnpublished(fact.from, sighting.before, sighting.commit);
    }
    return finding;
  }

  #committed(from: NodeId, commit: Commit, nowMs: number): Finding | undefined {
    const { service, version, content } = commit;
    for (const stamp of content.values()) {
      const key = this.#keyOf(from, service, { registId: stamp.registId, client: clientOf(stamp.token) });
      const newest = this.#newest.get(key);
      if (newest !== undefined && this.#isOlder(stamp, newest)) {
        if (this.#isExcused(service, stamp.registId, nowMs) || this.#isOfSuccessor(commit, newest)) {
          // It may stay for longer than it may come back.
          this.#newest.set(key, { ...stamp, list: version });
          continue;
        }
        if (this.#isCut(service, nowMs)) continue;
        const before = `${textOf(newest)} was shown or removed`;
        const text = `${stamp.registId} at ${textOf(stamp)} is back in v${version} after ${before}`;
        return { rule: "1 newest wins", service, text };
      }
      if (newest === undefined || compareStamps(stamp, newest) > 0) this.#newest.set(key, { ...stamp, list: version });
    }
    return undefined;
  }

  /**
   * The newer state was only told by a leader that had been replaced and could not hear that from meta; it follows the
   * next leader now, which has not heard the registration's session either.
   */
  #isOfSuccessor({ service, origin }: Commit, { list }: Noted): boolean {
    const isLater = this.#evidence.commits.at(service, list).every((told) => told.origin < origin);
    return isLater && isOfLeftBehind(this.#evidence, service, list);
  }

  #noteRemovals(fact: Fact & { kind: "told" }): void {
    if (fact.message.kind !== "delta") return;
    const { serviceKey, version: list, base, changes } = fact.message.delta;
    const { commits } = this.#evidence;
    const before = commits.at(serviceKey, base.version).find(({ origin }) => origin === base.origin)?.content;
    for (const change of changes) {
      if (change.kind !== "removed") continue;
      const token = before?.get(change.registId)?.token;
      if (token === undefined) continue;
      const key = this.#keyOf(fact.from, serviceKey, { registId: change.registId, client: clientOf(token) });
      const newest = this.#newest.get(key);
      if (newest === undefined || compareStamps(change.stamp, newest) > 0) {
        this.#newest.set(key, { ...change.stamp, list });
      }
    }
  }

  /** Once a list has followed an unpublish, nothing from before it may return. */
  #noteUnpublished(from: NodeId, before: Commit, after: Commit): void {
    for (const { registId, version } of before.content.values()) {
      if (after.content.has(registId)) continue;
      const [registration, twin] = this.#evidence.registrations.twins(before.service, registId);
      // Only an acknowledged one is known to have reached the servers.
      const unpublished = registration?.acknowledgements.find(
        (later) => later.version > version && registration.unpublished.includes(later.version),
      )?.version;
      if (registration === undefined || unpublished === undefined || twin !== undefined) continue;
      const key = this.#keyOf(from, before.service, registration);
      const newest = this.#newest.get(key);
      if (newest === undefined || newest.version < unpublished)
        this.#newest.set(key, { version: unpublished, registeredMs: WANTED, list: after.version });
    }
  }

  #pushed(fact: Fact & { kind: "pushed" }, nowMs: number): Finding | undefined {
    const { client, service, entries, version } = fact;
    const shown = this.#shownTo(fact, nowMs);
    for (const entry of entries) {
      const [registId = "", token = "0", whose = ""] = entry.slice(entry.indexOf("/") + 1).split("~");
      if (this.#evidence.registrations.isStranger(service, registId, whose)) continue;
      const now = BigInt(token);
      const before = shown.get(registId);
      const isShared = this.#evidence.registrations.twins(service, registId).length > 1;
      if (before !== undefined && now < before.version && !isShared) {
        if (this.#isExcused(service, registId, nowMs)) continue;
        const text = `${client} was shown ${registId} of version ${now} in v${version} after version ${before.version}`;
        const madeMs = Math.min(nowMs, ...this.#evidence.commits.at(service, version).map(({ firstMs }) => firstMs));
        if (!this.#isUnheard(service, registId, { before, madeMs })) return { rule: "1 newest wins", service, text };
        shown.set(registId, { version: now, list: version });
      }
      if (before === undefined || now > before.version) shown.set(registId, { version: now, list: version });
    }
    return undefined;
  }

  /**
   * The entries shown to the subscriber, as far as they count: a subscriber that crosses a cut between nodes begins
   * anew.
   */
  #shownTo({ service, registId, session, version }: Fact & { kind: "pushed" }, nowMs: number): Map<string, Shown> {
    const { nodes } = this.#evidence;
    const known = this.#shown.get(registId);
    const crossed =
      known !== undefined &&
      known.session !== session &&
      (nodes.isSplitSince(service, [known.session, session], known.lastMs) ||
        isOfLeftBehind(this.#evidence, service, known.list) ||
        isOfLeftBehind(this.#evidence, service, version));
    const versions = known === undefined || crossed ? new Map<string, Shown>() : known.versions;
    this.#shown.set(registId, { versions, session, list: version, lastMs: nowMs });
    return versions;
  }

  /**
   * The earlier list came from a leader that had been replaced by then, and when the present list was made the session
   * with the registration was dead or cut off: no session that the next leader heard had reported it.
   */
  #isUnheard(service: ServiceKey, registId: string, { before, madeMs }: { before: Shown; madeMs: number }): boolean {
    const { commits, nodes, registrations } = this.#evidence;
    const isOfOld = commits
      .at(service, before.list)
      .every(({ origin, firstMs }) => firstMs > nodes.replacedMs(service, origin));
    const [registration] = registrations.twins(service, registId);
    const taken = registration?.acknowledgements.filter(({ version }) => version === before.version) ?? [];
    const isGone = (session: string) =>
      (nodes.run("session", session)?.stopMs ?? madeMs) < madeMs ||
      nodes
        .unheard(session, service, madeMs)
        .some(({ fromMs, untilMs, settleMs }) => fromMs <= madeMs && untilMs + settleMs >= madeMs);
    return isOfOld && taken.length > 0 && taken.every(({ session }) => isGone(session));
  }

  /** In a single process a restart may turn the clock back, but then the earlier times are forgotten. */
  #isOlder(stamp: Stamp, newest: Stamp): boolean {
    const isTimed = this.#evidence.plan.topology !== "single";
    return isTimed ? compareStamps(stamp, newest) < 0 : stamp.version < newest.version;
  }

  #isExcused(service: ServiceKey, registId: string, nowMs: number): boolean {
    const { registrations, nodes, plan } = this.#evidence;
    const isShared = registrations.twins(service, registId).length > 1;
    const isCluster = plan.topology === "cluster";
    // Of two clients that share a registId and lost a data node together, the one heard first shows first.
    if (isShared) return isCluster || nodes.dataRestarts.length > 0;
    const lossMs = nodes.lossesOf(service).findLast(({ hasCopy }) => !hasCopy)?.atMs ?? Number.NEGATIVE_INFINITY;
    return isCluster && (nowMs - lossMs < FORGETFUL_MS || this.#isOfLongAbsent(service, registId, nowMs));
  }

  /**
   * A session stood still for longer than removals are remembered. A connection that its client has left by now seems
   * to stand there, and its registrations are reported until the session has counted it out.
   */
  #isOfLongAbsent(service: ServiceKey, registId: string, nowMs: number): boolean {
    const { registrations, nodes, plan } = this.#evidence;
    const [registration] = registrations.twins(service, registId);
    const open = registration === undefined ? [] : [...registrations.client(registration.client).open.values()];
    const isAbsence = ({ fromMs, untilMs }: Span) =>
      untilMs - fromMs > plan.config.tombstoneMs && nowMs >= untilMs && nowMs - untilMs < FORGETFUL_MS;
    return open.some(({ session, isLeft }) => isLeft && nodes.pauses(session).some(isAbsence));
  }

  /**
   * The successor of a leader that was cut off does not know that one's last changes until a session that was shown
   * them reports them, before its subscribers are shown anything else.
   */
  #isCut(service: ServiceKey, nowMs: number): boolean {
    const { nodes, plan } = this.#evidence;
    const sessions = nodes.living("session").map(({ id }) => id);
    return plan.topology === "cluster" && nodes.isSplitSince(service, sessions, nowMs);
  }

  /** In a cluster each run of a data node is judged by its own knowledge: clocks differ by minutes there. */
  #keyOf(from: NodeId, service: ServiceKey, { registId, client }: { registId: string; client: string }): string {
    const word = `${service} ${registId} ${client}`;
    return this.#hasOneMemory ? word : `${from} ${word}`;
  }
}

function textOf({ version, registeredMs }: Stamp): string {
  return `version ${version} of ${registeredMs}`;
}
