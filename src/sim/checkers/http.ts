// Registrations by HTTP, as every protocol shows them. The changes that a poller of Eureka is told turn what a process
// has told it before into what that process tells it now. When all is well a change is shown at its own session from
// its answer on, and soon at every other one; a heartbeat is never answered as unknown; what an operator has said
// stays; a registration without heartbeats is shown until its lease is over, and not after that.

import type { NodeId, ServiceKey } from "../../model/ids.ts";
import type { Lease } from "../../model/publication.ts";
import type { Fact } from "../facts.ts";
import { type HttpProtocol, type HttpState, httpEntry } from "../httpServices.ts";
import { httpCalm } from "../patience.ts";
import type { Checker, Evidence, Finding } from "./checker.ts";

// Clocks run too fast or too slow by one percent at the most.
const DRIFT = 0.02;
const SLACK_MS = 600;
// A list at another session follows within this.
const SPREAD_MS = 1_500;

/** A state that a registration has from then on; undefined: it is gone. */
interface Step {
  readonly state: HttpState | undefined;
  readonly fromMs: number;
  /** The answer to the request for it. */
  sureMs: number;
  node: NodeId | undefined;
}

interface Known {
  service: ServiceKey;
  lease: Lease;
  isAlive: boolean;
  /** It was silent, and its lease may have ended before it went on. */
  mayBeGone: boolean;
  /** The newest last; empty: its state is not known. */
  steps: Step[];
  /** The times of its last request, and of the answer; and those of the last one that was answered. */
  lastMs: number;
  lastAnsweredMs: number;
  heardMs: number;
}

type Of<Kind extends Fact["kind"]> = Fact & { readonly kind: Kind };

export class HttpChecker implements Checker {
  readonly #evidence: Evidence;
  readonly #known = new Map<string, Known>();
  readonly #asked = new Map<number, Of<"httpAsked"> & { readonly atMs: number; readonly step: Step | undefined }>();
  #healedMs = Number.POSITIVE_INFINITY;

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
  }

  see(fact: Fact, nowMs: number): Finding | undefined {
    switch (fact.kind) {
      case "httpClient":
        this.#begun(fact);
        return undefined;
      case "httpAsked":
        this.#noteAsked(fact, nowMs);
        return undefined;
      case "httpAnswered":
        return this.#answered(fact, nowMs);
      case "httpUnsure":
        this.#known.get(fact.client)?.steps.splice(0);
        return undefined;
      case "httpChanges":
        return this.#changes(fact);
      case "httpListed":
        return this.#listed(fact, nowMs);
      case "healed":
        this.#healedMs = nowMs;
        return undefined;
      default:
        return undefined;
    }
  }

  #begun({ client, service, lease, isAlive }: Of<"httpClient">): void {
    const known = this.#known.get(client);
    const times = { lastMs: 0, lastAnsweredMs: 0, heardMs: 0 };
    if (known === undefined)
      this.#known.set(client, { service, lease, isAlive, mayBeGone: false, steps: [], ...times });
    else Object.assign(known, { isAlive, mayBeGone: isAlive && !known.isAlive });
  }

  #noteAsked(fact: Of<"httpAsked">, nowMs: number): void {
    const known = this.#known.get(fact.client);
    if (known === undefined) return;
    const before = known.steps.at(-1);
    const state = stateAfter(fact, before?.state);
    const isStep = before !== undefined && state !== before.state;
    const step = isStep ? { state, fromMs: nowMs, sureMs: Number.POSITIVE_INFINITY, node: undefined } : undefined;
    if (step !== undefined) known.steps.push(step);
    Object.assign(known, { lastMs: nowMs, lastAnsweredMs: Number.POSITIVE_INFINITY });
    this.#asked.set(fact.request, { ...fact, atMs: nowMs, step });
  }

  #answered({ client, request, node, outcome, state }: Of<"httpAnswered">, nowMs: number): Finding | undefined {
    const known = this.#known.get(client);
    const asked = this.#asked.get(request);
    if (known === undefined || asked === undefined) return undefined;
    const isCalm = this.#isCalm(nowMs) && known.steps.length > 0;
    if (isCalm && outcome !== "done" && !known.mayBeGone) {
      return finding(known.service, `${node} answers the ${asked.what} of ${client} as ${outcome} when all is well`);
    }
    if (asked.atMs >= known.lastMs) known.lastAnsweredMs = nowMs;
    if (outcome === "done" && asked.what !== "end") known.heardMs = asked.atMs;
    if (asked.step !== undefined) Object.assign(asked.step, { sureMs: nowMs, node });
    if (outcome === "done") known.mayBeGone = false;
    // All of its requests were answered: this is its state.
    if (state === undefined) known.steps = [];
    else if (known.steps.length === 0) known.steps = [{ state, fromMs: asked.atMs, sureMs: nowMs, node }];
    return undefined;
  }

  #changes({ poller, node, isOther, ...fact }: Of<"httpChanges">): Finding | undefined {
    const { kept, keptHash, told, whole, wholeHash } = fact;
    if (isOther || (kept === whole && keptHash === told && told === wholeHash)) return undefined;
    const words = `has told ${poller} changes that make [${kept}] of [${whole}]`;
    return finding(undefined, `${node} ${words}; the hash is ${keptHash}, told as ${told}, and of all as ${wholeHash}`);
  }

  #listed({ node, protocol, service, list }: Of<"httpListed">, nowMs: number): Finding | undefined {
    if (!this.#isCalm(nowMs)) return undefined;
    if (list === undefined) return finding(service, `${node} refuses its list to ${protocol} when all is well`);
    for (const [client, known] of this.#known) {
      if (known.service !== service) continue;
      const shown = list.filter((entry) => entry.startsWith(`${client}~`));
      const possible = this.#possible(known, { node, protocol, nowMs });
      if (possible === undefined || (shown.length < 2 && possible.has(shown[0]))) continue;
      const expected = [...possible].map((entry) => entry ?? "nothing").join(" or ");
      return finding(service, `${node} shows ${protocol} "${shown.join(" ")}" of ${client}, and not ${expected}`);
    }
    return undefined;
  }

  /** The entries that a list may show of a client; undefined: any. */
  #possible(
    { steps, isAlive, mayBeGone, lease, heardMs, lastAnsweredMs }: Known,
    { node, protocol, nowMs }: { readonly node: NodeId; readonly protocol: HttpProtocol; readonly nowMs: number },
  ): Set<string | undefined> | undefined {
    if (steps.length === 0) return undefined;
    const reached = steps.findLastIndex((step) => step.sureMs + (step.node === node ? 0 : SPREAD_MS) <= nowMs);
    if (reached < 0) return undefined;
    const possible = new Set(steps.slice(reached).map(({ state }) => state && httpEntry(protocol, state)));
    if (isAlive) return mayBeGone ? possible.add(undefined) : possible;
    const { removedAfterMs } = lease;
    if (nowMs > lastAnsweredMs + removedAfterMs * (1 + DRIFT) + SLACK_MS + SPREAD_MS) return new Set([undefined]);
    if (nowMs > heardMs + removedAfterMs * (1 - DRIFT) - SLACK_MS) possible.add(undefined);
    return possible;
  }

  #isCalm(nowMs: number): boolean {
    const { afterMs, forMs } = httpCalm(this.#evidence.plan);
    return nowMs >= this.#healedMs + afterMs && nowMs < this.#healedMs + afterMs + forMs;
  }
}

/** The state that a request is for. */
function stateAfter({ what, token }: Of<"httpAsked">, before: HttpState | undefined): HttpState | undefined {
  switch (what) {
    case "register":
      return { token, isOut: before?.isOut ?? false };
    case "end":
      return undefined;
    case "takeOut":
    case "takeBack":
      return before && { ...before, isOut: what === "takeOut" };
    case "renew":
      return before;
  }
}

function finding(service: ServiceKey | undefined, text: string): Finding {
  return { rule: "http: as clients and operators say", service, text };
}
