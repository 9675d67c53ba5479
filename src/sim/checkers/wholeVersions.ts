// Rule 4: a push shows exactly the commit of its version, cut to the subscriber's zone and to nothing else; and a
// version has one content. Instances whose revision the session has not been able to read for long are left out of it.

import type { Fact } from "../facts.ts";
import type { Checker, Evidence, Finding } from "./checker.ts";
import { listOf } from "./commits.ts";
import { KnownRevisions } from "./knownRevisions.ts";

// When a revision has come, the leader gives the list a new version, in which its instances are shown.
const REISSUE_MS = 5_000;

export class WholeVersions implements Checker {
  readonly #evidence: Evidence;
  readonly #revisions = new KnownRevisions();

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
  }

  see(fact: Fact, nowMs: number): Finding | undefined {
    this.#revisions.see(fact, nowMs);
    if (fact.kind === "told") return this.#told();
    return fact.kind === "pushed" ? this.#pushed(fact, nowMs) : undefined;
  }

  #told(): Finding | undefined {
    const sighting = this.#evidence.commits.last;
    if (sighting?.conflict === undefined) return undefined;
    const { service, version } = sighting.commit;
    const [first, second] = [sighting.commit, sighting.conflict].map((commit) => oneLine(listOf(commit, undefined)));
    return { rule: "4 whole versions", service, text: `v${version} was [${first}] and is now [${second}]` };
  }

  #pushed(fact: Fact & { kind: "pushed" }, nowMs: number): Finding | undefined {
    const { service, version, scope, zone, entries, client, session } = fact;
    const commits = this.#evidence.commits.at(service, version);
    if (commits.length === 0) {
      return { rule: "4 whole versions", service, text: `${client} got v${version}, which no data node spoke of` };
    }
    const lists = commits.map((commit) => listOf(commit, scope === "zone" ? zone : undefined));
    const shown = entries.join("\n");
    if (lists.includes(shown)) return undefined;
    const isShown = new Set(entries);
    const mayLack = (entry: string): boolean => {
      const revision = this.#revisions.named(entry);
      return revision !== undefined && nowMs < this.#revisions.readableSinceMs(session, revision) + REISSUE_MS;
    };
    const isCut = (list: string): boolean =>
      shown ===
      list
        .split("\n")
        .filter((entry) => isShown.has(entry) || !mayLack(entry))
        .join("\n");
    if (lists.some(isCut)) return undefined;
    const what = `${client} was shown v${version} (${scope}, ${zone}) as [${oneLine(shown)}]`;
    const text = `${what}, committed was [${lists.map(oneLine).join("] or [")}]`;
    return { rule: "4 whole versions", service, text };
  }
}

function oneLine(list: string): string {
  return list.replaceAll("\n", " ");
}
