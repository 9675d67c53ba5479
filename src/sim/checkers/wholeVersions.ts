// Rule 4: a push shows exactly the commit of its version, cut to the subscriber's zone and to nothing else; and a
// version has one content.

import type { Fact } from "../facts.ts";
import type { Checker, Evidence, Finding } from "./checker.ts";
import { listOf } from "./commits.ts";

export class WholeVersions implements Checker {
  readonly #evidence: Evidence;

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
  }

  see(fact: Fact): Finding | undefined {
    if (fact.kind === "told") return this.#told();
    return fact.kind === "pushed" ? this.#pushed(fact) : undefined;
  }

  #told(): Finding | undefined {
    const sighting = this.#evidence.commits.last;
    if (sighting?.conflict === undefined) return undefined;
    const { service, version } = sighting.commit;
    const [first, second] = [sighting.commit, sighting.conflict].map((commit) => oneLine(listOf(commit, undefined)));
    return { rule: "4 whole versions", service, text: `v${version} was [${first}] and is now [${second}]` };
  }

  #pushed(fact: Fact & { kind: "pushed" }): Finding | undefined {
    const { service, version, scope, zone, entries, client } = fact;
    const commits = this.#evidence.commits.at(service, version);
    if (commits.length === 0) {
      return { rule: "4 whole versions", service, text: `${client} got v${version}, which no data node spoke of` };
    }
    const lists = commits.map((commit) => listOf(commit, scope === "zone" ? zone : undefined));
    const shown = entries.join("\n");
    if (lists.includes(shown)) return undefined;
    const what = `${client} was shown v${version} (${scope}, ${zone}) as [${oneLine(shown)}]`;
    const text = `${what}, committed was [${lists.map(oneLine).join("] or [")}]`;
    return { rule: "4 whole versions", service, text };
  }
}

function oneLine(list: string): string {
  return list.replaceAll("\n", " ");
}
