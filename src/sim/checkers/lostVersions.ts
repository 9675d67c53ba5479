// Versions that no living node knows: a leader gave them while it was cut off, and died before it was heard again. The
// next leader goes on below them (docs/bugs.md, known and not cured).

import type { ServiceKey } from "../../model/ids.ts";
import type { Evidence } from "./checker.ts";
import type { Commit } from "./commits.ts";

type Known = Pick<Evidence, "commits" | "nodes">;

/** It was given by a data node that was cut off, or stood apart otherwise, and that died before that was over. */
export function isOfTheDead({ commits, nodes }: Known, service: ServiceKey, version: bigint): boolean {
  const given = commits.at(service, version);
  return given.length > 0 && given.every(({ by, firstMs }) => nodes.diedApart(by, firstMs));
}

/** The lists that a session may have at the end: the newest, and if that may be lost with its leader the one before. */
export function newestLists(evidence: Known, service: ServiceKey): readonly Commit[] {
  const newest = evidence.commits.newest(service);
  if (newest === undefined) return [];
  if (!isOfTheDead(evidence, service, newest.version)) return [newest];
  const before = evidence.commits.newestOf(service, ({ version }) => !isOfTheDead(evidence, service, version));
  return before === undefined ? [newest] : [newest, before];
}
