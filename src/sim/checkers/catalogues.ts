// Questions about the catalogue: each is answered in its time; what is shown of a service is a version that some leader
// gave, with its number of publishers, and never goes back for one asker. At the end every session shows exactly the
// services that have publishers, at their newest versions.

import type { CatalogueEntry } from "../../model/catalogue.ts";
import type { NodeId, ServiceKey } from "../../model/ids.ts";
import type { Fact } from "../facts.ts";
import type { Checker, Evidence, Finding, Rule } from "./checker.ts";
import { type Commit, isLater } from "./commits.ts";
import { newestLists } from "./lostVersions.ts";
import { goesBack, OpenQuestions } from "./openQuestions.ts";

type Asked = Fact & { readonly kind: "catalogueAsked" };

/** An answered question that is told changes, or is judged at the end. */
interface Shown {
  readonly node: NodeId;
  /** It has seen all slots, or need not have. */
  readonly isWhole: boolean;
  /** The last entry shown of each service, gone ones too. */
  readonly entries: Map<ServiceKey, CatalogueEntry>;
}

export class CatalogueChecker implements Checker {
  readonly #evidence: Pick<Evidence, "commits" | "nodes" | "registrations" | "rules">;
  readonly #open = new OpenQuestions<Asked>();
  readonly #shown = new Map<number, Shown>();
  /** The latest entry of each service by a data node: without subscribers, no session is told of its list. */
  readonly #named = new Map<ServiceKey, CatalogueEntry>();

  constructor(evidence: Pick<Evidence, "commits" | "nodes" | "registrations" | "rules">) {
    this.#evidence = evidence;
  }

  see(fact: Fact, nowMs: number): Finding | undefined {
    switch (fact.kind) {
      case "catalogueAsked":
        this.#open.ask(fact, nowMs);
        return undefined;
      case "catalogueGivenUp":
        this.#open.take(fact.question);
        this.#shown.delete(fact.question);
        return undefined;
      case "catalogueAnswered":
        return this.#answered(fact);
      case "catalogueTold":
        return this.#told(fact);
      case "told":
        this.#hearEntries(fact);
        return this.#overdue(nowMs);
      case "paused":
        this.#open.paused(fact);
        return undefined;
      case "stopped":
        this.#open.stopped(fact.node);
        for (const [question, { node }] of this.#shown) if (node === fact.node) this.#shown.delete(question);
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
    const text = `${overdue.node} has not shown its catalogue within ${overdue.waitMs} ms`;
    return finding("quiet: nothing waits for ever", text);
  }

  #hearEntries({ message }: Fact & { kind: "told" }): void {
    if (message.kind !== "catalogue" && message.kind !== "catalogueChanged") return;
    for (const entry of message.entries) {
      const before = this.#named.get(entry.serviceKey);
      if (before === undefined || isLater(entry, before)) this.#named.set(entry.serviceKey, entry);
    }
  }

  #answered({ question, node, entries, isWhole, error }: Fact & { kind: "catalogueAnswered" }): Finding | undefined {
    const asked = this.#open.take(question);
    if (asked === undefined) return finding("bug", `${node} answers what nobody asks any more`);
    if (error !== undefined) return finding("bug", `${node} fails to show its catalogue: ${error.code}`);
    const { isStanding, isLast } = asked;
    const shown = { node, isWhole: isWhole || !isLast, entries: new Map<ServiceKey, CatalogueEntry>() };
    if (isStanding || isLast) this.#shown.set(question, shown);
    return this.#see(shown, entries);
  }

  #told({ question, node, entries }: Fact & { kind: "catalogueTold" }): Finding | undefined {
    const shown = this.#shown.get(question);
    if (shown === undefined) return finding("bug", `${node} tells changes to one who was not answered`);
    return this.#see(shown, entries);
  }

  #see(shown: Shown, entries: readonly CatalogueEntry[]): Finding | undefined {
    const { node } = shown;
    for (const entry of entries) {
      const { serviceKey, version, size } = entry;
      const before = shown.entries.get(serviceKey);
      shown.entries.set(serviceKey, entry);
      if (before !== undefined && goesBack(version, before.version)) {
        const text = `${node} shows v${version} after v${before.version} in its catalogue`;
        return finding("3 a subscriber never goes back", text, serviceKey);
      }
      const commits = this.#evidence.commits.at(serviceKey, version);
      if (size === 0 || commits.length === 0 || commits.some(({ content }) => content.size === size)) continue;
      return finding("4 whole versions", `${node} shows ${size} publishers at v${version}`, serviceKey);
    }
    return undefined;
  }

  #over(): Finding | undefined {
    for (const { node } of this.#open.values()) return finding("7 convergence", `${node} has not answered`);
    for (const { node, isWhole, entries } of this.#shown.values()) {
      if (!isWhole) return finding("7 convergence", `${node} was not told of all slots`);
      for (const [service, { size }] of entries) {
        if (size === 0 || !this.#isDeserted(service)) continue;
        return finding("7 convergence", `${node} shows ${size} publishers, and no client publishes it`, service);
      }
      for (const [service, newest] of this.#evidence.commits.newestOfAll()) {
        // The last list that a session was told may be of a leader that is gone: without subscribers, no session asks
        // the next leader.
        if (this.#isDeserted(service)) continue;
        const entry = entries.get(service);
        const named = this.#named.get(service);
        const isUnseen = named !== undefined && isLater(named, newest);
        const lists = newestLists(this.#evidence, service).map(entryOf);
        // Its giver may have died apart, like that of a list.
        const right = isUnseen ? [named, ...lists] : lists;
        if (right.some((one) => isShownBy(one, entry))) continue;
        const { size, version } = isUnseen ? named : entryOf(newest);
        const shownText = `${entry?.size ?? 0} publishers at v${entry?.version}`;
        const text = `${node} shows ${shownText}, not ${size} at v${version}`;
        return finding("7 convergence", text, service);
      }
    }
    return undefined;
  }

  /** Clients with connections have registered it, and no living client's registration is shown. */
  #isDeserted(service: ServiceKey): boolean {
    const { registrations, rules } = this.#evidence;
    const all = [...registrations.ofService(service)].flat();
    return all.length > 0 && !all.some((one) => registrations.isHeld(one) && !rules.hides(one));
  }
}

/** A service without publishers is not shown. */
function isShownBy({ size, version }: CatalogueEntry, entry: CatalogueEntry | undefined): boolean {
  return size === (entry?.size ?? 0) && (size === 0 || entry?.version === version);
}

function entryOf({ service: serviceKey, version, origin, content: { size } }: Commit): CatalogueEntry {
  return { serviceKey, version, origin, size };
}

function finding(rule: Rule, text: string, service?: ServiceKey): Finding {
  return { rule, service, text };
}
