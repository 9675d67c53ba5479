// Questions about lists: each is answered in its time, with a version that some leader gave and its content, above the
// one that was named if it says so, and never below one that the same session has answered with before. A change is
// told when it is here, and not only later. At the end every session answers with the newest list.

import type { NodeId, ServiceKey } from "../../model/ids.ts";
import type { Fact } from "../facts.ts";
import type { Checker, Evidence, Finding, Rule } from "./checker.ts";
import { listOf } from "./commits.ts";
import { newestLists } from "./lostVersions.ts";
import { goesBack, OpenQuestions } from "./openQuestions.ts";

// A session answers in the step in which a list arrives; a busy one takes some messages later.
const STEP_MS = 200;

type Queried = Fact & { readonly kind: "queried" };
type Answered = Fact & { readonly kind: "queryAnswered" };

export class QueryChecker implements Checker {
  readonly #evidence: Evidence;
  readonly #open = new OpenQuestions<Queried>();
  /** The last answered version, by node and service. */
  readonly #answered = new Map<NodeId, Map<ServiceKey, bigint>>();
  /** The last arrival of a list at a session, by node and service. */
  readonly #listed = new Map<NodeId, Map<ServiceKey, { readonly version: bigint; readonly atMs: number }>>();

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
  }

  see(fact: Fact, nowMs: number): Finding | undefined {
    switch (fact.kind) {
      case "queried":
        this.#open.ask(fact, nowMs);
        return undefined;
      case "queryGivenUp":
        this.#open.take(fact.question);
        return undefined;
      case "queryAnswered":
        return this.#judge(fact, nowMs);
      case "listed":
        this.#noteList(fact, nowMs);
        return undefined;
      case "paused":
        this.#open.paused(fact);
        return undefined;
      case "stopped":
        this.#open.stopped(fact.node);
        this.#answered.delete(fact.node);
        this.#listed.delete(fact.node);
        return undefined;
      case "over":
        return this.#over();
      default:
        return this.#overdue(nowMs);
    }
  }

  #overdue(nowMs: number): Finding | undefined {
    const overdue = this.#open.overdue(nowMs);
    if (overdue === undefined) return undefined;
    const { node, service, waitMs } = overdue;
    return finding("quiet: nothing waits for ever", service, `${node} has not answered within ${waitMs} ms`);
  }

  #judge({ question, node, service, version, isNewer, list }: Answered, nowMs: number): Finding | undefined {
    const open = this.#open.take(question);
    if (open === undefined) return finding("bug", service, `${node} answers a question that nobody asks any more`);
    if (version === undefined) return undefined;
    const { since, askedMs, isDelayed } = open;
    if (isNewer !== version > since) {
      return finding(
        "3 a subscriber never goes back",
        service,
        `${node}: v${version} newer than v${since}? ${isNewer}`,
      );
    }
    const ofNode = this.#answered.get(node) ?? new Map<ServiceKey, bigint>();
    this.#answered.set(node, ofNode);
    const before = ofNode.get(service) ?? 0n;
    ofNode.set(service, version);
    const { commits } = this.#evidence;
    if (goesBack(version, before)) {
      return finding("3 a subscriber never goes back", service, `${node} answers v${version} after v${before}`);
    }
    if (!commits.at(service, version).some((commit) => listOf(commit, undefined) === list)) {
      return finding("4 whole versions", service, `${node} answers v${version} with ${list.replaceAll("\n", " ")}`);
    }
    const hereMs = Math.max(askedMs, this.#hereMs(node, service, version));
    if (!isNewer || isDelayed || nowMs <= hereMs + STEP_MS) return undefined;
    return finding("7 convergence", service, `${node} answers with v${version} only after ${nowMs - hereMs} ms`);
  }

  #noteList({ node, service, version }: Fact & { readonly kind: "listed" }, nowMs: number): void {
    const ofNode = this.#listed.get(node) ?? new Map<ServiceKey, { version: bigint; atMs: number }>();
    this.#listed.set(node, ofNode);
    ofNode.set(service, { version, atMs: nowMs });
  }

  /** The time of the last arrival of this version at the session; before all times if another one came later. */
  #hereMs(node: NodeId, service: ServiceKey, version: bigint): number {
    const listed = this.#listed.get(node)?.get(service);
    return listed?.version === version ? listed.atMs : Number.NEGATIVE_INFINITY;
  }

  #over(): Finding | undefined {
    for (const { node, service } of this.#open.values()) {
      return finding("7 convergence", service, `${node} has not answered`);
    }
    for (const [node, ofNode] of this.#answered) {
      for (const [service, version] of ofNode) {
        const newest = newestLists(this.#evidence, service);
        if (newest.length === 0 || newest.some((list) => list.version === version)) continue;
        const text = `${node} answers v${version} at the end, and not v${newest[0]?.version}`;
        return finding("7 convergence", service, text);
      }
    }
    return undefined;
  }
}

function finding(rule: Rule, service: ServiceKey, text: string): Finding {
  return { rule, service, text };
}
