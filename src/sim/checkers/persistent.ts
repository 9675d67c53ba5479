// Registrations that stay. No leader removes one that a client has put, and has not asked to be removed since. At the
// end each session's list has exactly those that the store has, healthy if their targets are up, and the store has what
// the last answer said, or what was asked for after it. In calm one session makes the checks of a target.

import type { NodeId, ServiceKey } from "../../model/ids.ts";
import type { Fact } from "../facts.ts";
import { isOfKept } from "../keptServices.ts";
import type { Checker, Finding } from "./checker.ts";

// Members are as usual by then, and probes of before are over.
const CALM_AFTER_MS = 30_000;

interface Known {
  readonly service: ServiceKey;
  /** The states that the store may have: tokens, or undefined for none. */
  possible: Set<string | undefined>;
  /** The states that were asked for, without an answer yet: a session that stood still makes them when it goes on. */
  readonly open: (string | undefined)[];
  /** The last answer was that of a put, and nothing was asked since. */
  isKept: boolean;
}

export class PersistentChecker implements Checker {
  readonly #known = new Map<string, Known>();
  /** By port, the sessions that have checked it in calm, the last one last. */
  readonly #probers = new Map<number, NodeId[]>();
  readonly #stored = new Map<ServiceKey, readonly string[]>();
  readonly #listed: (Fact & { readonly kind: "keptListed" })[] = [];
  /** The store has lost changes: what was answered may be gone. */
  #hasLost = false;
  #healedMs = Number.POSITIVE_INFINITY;

  see(fact: Fact, nowMs: number): Finding | undefined {
    switch (fact.kind) {
      case "keptAsked":
        this.#asked(fact);
        return undefined;
      case "keptAnswered":
        this.#answered(fact);
        return undefined;
      case "leaseMade":
        return this.#made(fact);
      case "keptProbed":
        return this.#probed(fact, nowMs);
      case "keptStored":
        this.#stored.set(fact.service, fact.list);
        return undefined;
      case "keptListed":
        this.#listed.push(fact);
        return undefined;
      case "failedOver":
        this.#hasLost = true;
        return undefined;
      case "healed":
        this.#healedMs = nowMs;
        return undefined;
      case "over":
        return this.#over();
      default:
        return undefined;
    }
  }

  #asked({ service, registId, token }: Fact & { readonly kind: "keptAsked" }): void {
    const known = this.#known.get(registId) ?? { service, possible: new Set([undefined]), open: [], isKept: false };
    this.#known.set(registId, known);
    known.possible.add(token);
    known.open.push(token);
    if (token === undefined) known.isKept = false;
  }

  #answered({ registId, token, outcome }: Fact & { readonly kind: "keptAnswered" }): void {
    const known = this.#known.get(registId);
    if (known === undefined) return;
    const { open } = known;
    open.splice(open.indexOf(token), 1);
    if (outcome === "failed") return;
    // A commit whose answer was lost may be made later still.
    if (known.possible.size === 2 || outcome === "unknown") known.possible = new Set([token, ...open]);
    known.isKept = token !== undefined && !open.includes(undefined);
  }

  #made({ node, service, registId, shown }: Fact & { readonly kind: "leaseMade" }): Finding | undefined {
    if (shown !== "gone" || !isOfKept(service) || this.#hasLost) return undefined;
    const known = this.#known.get(registId);
    if (known === undefined || !known.isKept || known.possible.has(undefined)) return undefined;
    return finding(service, `${node} has removed ${registId}, which stays`);
  }

  #probed({ node, port }: Fact & { readonly kind: "keptProbed" }, nowMs: number): Finding | undefined {
    if (nowMs < this.#healedMs + CALM_AFTER_MS) return undefined;
    const probers = this.#probers.get(port) ?? [];
    this.#probers.set(port, probers);
    const last = probers.at(-1);
    if (last === node) return undefined;
    const isBack = probers.includes(node);
    probers.push(node);
    // A session that stops hands over once.
    return isBack ? finding(undefined, `${last} and ${node} check port ${port} in turns when all is well`) : undefined;
  }

  #over(): Finding | undefined {
    for (const { node, service, list = ["no list"] } of this.#listed) {
      const stored = this.#stored.get(service) ?? [];
      if (list.join() === stored.join()) continue;
      return finding(service, `${node} has "${list.join(" ")}" at the end, and the store "${stored.join(" ")}"`);
    }
    if (this.#hasLost) return undefined;
    for (const [registId, { service, possible }] of this.#known) {
      const stored = this.#stored.get(service)?.find((token) => token.startsWith(`${registId}~`));
      if (possible.has(stored?.replace("?", ""))) continue;
      return finding(
        service,
        `the store has ${stored ?? "nothing"} of ${registId}, and not ${[...possible].join(" or ")}`,
      );
    }
    return undefined;
  }
}

function finding(service: ServiceKey | undefined, text: string): Finding {
  return { rule: "persistent: kept until taken back", service, text };
}
