// A process that does not know the secret of the cluster is no node: no role of it hears anything of the cluster, and
// no list of members names it.

import type { Fact } from "../facts.ts";
import type { Checker, Finding } from "./checker.ts";

export class StrangerChecker implements Checker {
  see(fact: Fact): Finding | undefined {
    if (fact.kind !== "strangerHeard") return undefined;
    const text = `the stranger ${fact.machine}, which does not know the cluster's secret, has heard ${fact.what}`;
    return { rule: "strangers: they get nothing", service: undefined, text };
  }
}
