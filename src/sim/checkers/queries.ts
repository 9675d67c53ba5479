// Questions about lists: each is answered in its time, with a version that some leader gave and its content, above the
// one that was named if it says so, and never below one that the same session has answered with before. A change is
// told when it is here, and not only at the end of the time. At the end every session answers with the newest list.

import type { DataInfoId, NodeId } from "../../model/ids.ts";
import type { Fact } from "../facts.ts";
import type { Checker, Evidence, Finding, Rule } from "./checker.ts";
import { listOf } from "./commits.ts";

// Clocks of nodes may be one percent wrong, and a busy one's timers late.
const LATE_MS = 500;

type Queried = Fact & { readonly kind: "queried" };
type Answered = Fact & { readonly kind: "queryAnswered" };

interface Open extends Pick<Queried, "node" | "machine" | "service" | "since" | "waitMs"> {
  readonly askedMs: number;
  /** The session stood still meanwhile. */
  isDelayed: boolean;
}

export class Queries implements Checker {
  readonly #evidence: Evidence;
  readonly #open = new Map<number, Open>();
  /** The last answered version, by node and service. */
  readonly #answered = new Map<NodeId, Map<DataInfoId, bigint>>();
  readonly #paused = new Set<string>();

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
  }

  see(fact: Fact, nowMs: number): Finding | undefined {
    switch (fact.kind) {
      case "queried":
        this.#open.set(fact.question, { ...fact, askedMs: nowMs, isDelayed: this.#paused.has(fact.machine) });
        return undefined;
      case "queryGivenUp":
        this.#open.delete(fact.question);
        return undefined;
      case "queryAnswered":
        return this.#judge(fact, nowMs);
      case "paused":
        return this.#pause(fact);
      case "stopped":
        for (const [question, { node }] of this.#open) if (node === fact.node) this.#open.delete(question);
        this.#answered.delete(fact.node);
        return undefined;
      case "over":
        return this.#over();
      default:
        return this.#overdue(nowMs);
    }
  }

  #pause({ machine, isPaused }: Fact & { kind: "paused" }): undefined {
    if (isPaused) this.#paused.add(machine);
    else this.#paused.delete(machine);
    for (const open of this.#open.values()) if (open.machine === machine) open.isDelayed = true;
  }

  #overdue(nowMs: number): Finding | undefined {
    for (const { node, service, askedMs, waitMs, isDelayed } of this.#open.values()) {
      if (isDelayed || nowMs <= askedMs + waitMs * 1.02 + LATE_MS) continue;
      return finding("quiet: nothing waits for ever", service, `${node} has not answered within ${waitMs} ms`);
    }
    return undefined;
  }

  #judge({ question, node, service, version, isNewer, list }: Answered, nowMs: number): Finding | undefined {
    const open = this.#open.get(question);
    if (open === undefined) return finding("bug", service, `${node} answers a question that nobody asks any more`);
    this.#open.delete(question);
    if (version === undefined) return undefined;
    const { since, askedMs, waitMs, isDelayed } = open;
    if (isNewer !== version > since) {
      return finding(
        "3 a subscriber never goes back",
        service,
        `${node}: v${version} newer than v${since}? ${isNewer}`,
      );
    }
    const ofNode = this.#answered.get(node) ?? new Map<DataInfoId, bigint>();
    this.#answered.set(node, ofNode);
    const before = ofNode.get(service) ?? 0n;
    ofNode.set(service, version);
    const { commits } = this.#evidence;
    // Only a list of a leader whose clock was days ahead is followed by a lower one.
    if (version < before && this.#evidence.plan.config.versionScanIntervalMs > 0 && !isFarAhead(before, version)) {
      return finding("3 a subscriber never goes back", service, `${node} answers v${version} after v${before}`);
    }
    if (!commits.at(service, version).some((commit) => listOf(commit, undefined) === list)) {
      return finding("4 whole versions", service, `${node} answers v${version} with ${list.replaceAll("\n", " ")}`);
    }
    if (isNewer && !isDelayed && waitMs > 0 && nowMs >= askedMs + waitMs * 0.98 && nowMs > askedMs) {
      return this.#mayBeAtTheEnd(service, version, nowMs)
        ? undefined
        : finding("7 convergence", service, `${node} answers with v${version} only at the end of ${waitMs} ms`);
    }
    return undefined;
  }

  /** The version is so new that it came at the very end. */
  #mayBeAtTheEnd(service: DataInfoId, version: bigint, nowMs: number): boolean {
    return this.#evidence.commits.at(service, version).some(({ firstMs }) => nowMs - firstMs < NEW_MS);
  }

  #over(): Finding | undefined {
    for (const [node, ofNode] of this.#answered) {
      for (const [service, version] of ofNode) {
        const newest = this.#evidence.commits.newest(service)?.version ?? version;
        if (newest === version) continue;
        return finding("7 convergence", service, `${node} answers v${version} at the end, and not v${newest}`);
      }
    }
    return undefined;
  }
}

// A change is on its way to a session for so long at the most, a fetch behind a cut link included.
const NEW_MS = 20_000;

const DAY = 86_400_000n << 15n;

function isFarAhead(before: bigint, version: bigint): boolean {
  return before - version > DAY;
}

function finding(rule: Rule, service: DataInfoId, text: string): Finding {
  return { rule, service, text };
}
