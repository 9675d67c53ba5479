// The store behind the meta nodes: no process is ever answered as of an earlier revision than before, even after the
// store has failed over to a copy that lacks its last changes. Nothing may be decided on such a copy until the process
// leads anew.

import type { Fact } from "../facts.ts";
import type { Checker, Finding } from "./checker.ts";

export class Revisions implements Checker {
  see(fact: Fact): Finding | undefined {
    if (fact.kind !== "readRecords" || fact.revision >= fact.before) return undefined;
    const text = `${fact.node} is answered as of revision ${fact.revision} after ${fact.before}`;
    return { rule: "records: no process goes back", service: undefined, text };
  }
}
