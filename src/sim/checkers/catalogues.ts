// Questions about the catalogue: each is answered in its time; what is shown of a service is a version that some leader
// gave, with its number of publishers, and never goes back for one asker. At the end every session shows exactly the
// services that have publishers, at their newest versions.

import type { CatalogueEntry } from "../../model/catalogue.ts";
import type { DataInfoId, NodeId } from "../../model/ids.ts";
import type { Fact } from "../facts.ts";
import type { Checker, Evidence, Finding, Rule } from "./checker.ts";

// Clocks of nodes may be one percent wrong, and a busy one's timers late.
const LATE_MS = 500;
// Only a list of a leader whose clock was days ahead is followed by a lower one.
const DAY = 86_400_000n << 15n;

type Asked = Fact & { readonly kind: "catalogueAsked" };

interface Question extends Pick<Asked, "node" | "machine" | "waitMs" | "isStanding" | "isLast"> {
  readonly askedMs: number;
  /** The session stood still meanwhile. */
  isDelayed: boolean;
  isAnswered: boolean;
  /** It was told of all slots. */
  isWhole: boolean;
  /** The last entry shown of each service, gone ones too. */
  readonly shown: Map<DataInfoId, CatalogueEntry>;
}

export class Catalogues implements Checker {
  readonly #evidence: Pick<Evidence, "commits">;
  readonly #questions = new Map<number, Question>();
  readonly #paused = new Set<string>();

  constructor(evidence: Pick<Evidence, "commits">) {
    this.#evidence = evidence;
  }

  see(fact: Fact, nowMs: number): Finding | undefined {
    switch (fact.kind) {
      case "catalogueAsked":
        this.#questions.set(fact.question, {
          ...fact,
          askedMs: nowMs,
          isDelayed: this.#paused.has(fact.machine),
          isAnswered: false,
          isWhole: false,
          shown: new Map(),
        });
        return undefined;
      case "catalogueGivenUp":
        this.#questions.delete(fact.question);
        return undefined;
      case "catalogueAnswered":
        return this.#answered(fact);
      case "catalogueTold":
        return this.#told(fact.question, fact.node, fact.entries);
      case "paused":
        return this.#pause(fact);
      case "stopped":
        for (const [question, { node }] of this.#questions) if (node === fact.node) this.#questions.delete(question);
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
    for (const question of this.#questions.values()) if (question.machine === machine) question.isDelayed = true;
  }

  #overdue(nowMs: number): Finding | undefined {
    for (const { node, askedMs, waitMs, isDelayed, isAnswered } of this.#questions.values()) {
      if (isAnswered || isDelayed || nowMs <= askedMs + waitMs * 1.02 + LATE_MS) continue;
      return finding("quiet: nothing waits for ever", `${node} has not shown its catalogue within ${waitMs} ms`);
    }
    return undefined;
  }

  #answered({ question, node, entries, isWhole, error }: Fact & { kind: "catalogueAnswered" }): Finding | undefined {
    const open = this.#questions.get(question);
    if (open === undefined || open.isAnswered) return finding("bug", `${node} answers what nobody asks any more`);
    if (error !== undefined) return finding("bug", `${node} fails to show its catalogue: ${error.code}`);
    open.isAnswered = true;
    open.isWhole = isWhole;
    const found = this.#told(question, node, entries);
    if (!open.isStanding && !open.isLast) this.#questions.delete(question);
    return found;
  }

  #told(question: number, node: NodeId, entries: readonly CatalogueEntry[]): Finding | undefined {
    const open = this.#questions.get(question);
    if (open?.isAnswered !== true) return finding("bug", `${node} tells changes to one who was not answered`);
    for (const entry of entries) {
      const { dataInfoId, version, size } = entry;
      const before = open.shown.get(dataInfoId);
      open.shown.set(dataInfoId, entry);
      if (before !== undefined && version < before.version && before.version - version < DAY) {
        const text = `${node} shows v${version} after v${before.version} in its catalogue`;
        return finding("3 a subscriber never goes back", text, dataInfoId);
      }
      const commits = this.#evidence.commits.at(dataInfoId, version);
      if (size === 0 || commits.length === 0 || commits.some(({ content }) => content.size === size)) continue;
      return finding("4 whole versions", `${node} shows ${size} publishers at v${version}`, dataInfoId);
    }
    return undefined;
  }

  #over(): Finding | undefined {
    for (const question of this.#questions.values()) {
      const { node, isLast, isWhole, isAnswered, shown } = question;
      if (!isAnswered || (isLast && !isWhole)) return finding("7 convergence", `${node} was not told of all slots`);
      for (const [service, newest] of this.#evidence.commits.newestOfAll()) {
        const size = newest.content.size;
        const entry = shown.get(service);
        if (size === (entry?.size ?? 0) && (size === 0 || entry?.version === newest.version)) continue;
        const shownText = `${entry?.size ?? 0} publishers at v${entry?.version}`;
        const text = `${node} shows ${shownText}, not ${size} at v${newest.version}`;
        return finding("7 convergence", text, service);
      }
    }
    return undefined;
  }
}

function finding(rule: Rule, text: string, service?: DataInfoId): Finding {
  return { rule, service, text };
}
