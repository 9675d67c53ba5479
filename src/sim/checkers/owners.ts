// A registration is its client's: nobody is shown one that another client has replaced, unless clients share a registId
// on purpose. That another one does not take it away is seen by undueRemoval.ts.

import type { Fact } from "../facts.ts";
import type { Checker, Evidence, Finding } from "./checker.ts";

export class Owners implements Checker {
  readonly #evidence: Evidence;

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
  }

  see(fact: Fact): Finding | undefined {
    if (fact.kind !== "told") return undefined;
    const { commits, registrations } = this.#evidence;
    const { last: sighting } = commits;
    if (sighting === undefined || !sighting.isNew) return undefined;
    const { service, version, content } = sighting.commit;
    for (const { registId, token } of content.values()) {
      const [owner, twin] = registrations.twins(service, registId);
      if (owner === undefined || twin !== undefined || token.endsWith(`~${owner.client}`)) continue;
      const text = `${registId} is ${owner.client}'s, v${version} shows ${token}`;
      return { rule: "owner: a registration is its client's", service, text };
    }
    return undefined;
  }
}
