// Rule 3: no push to a subscriber is older than the one before. With several sessions this holds for each, since this
// protocol's clients do not tell a new session their versions; a client drops older lists, so it still never sees them.

import type { Fact } from "../facts.ts";
import type { Checker, Evidence, Finding } from "./checker.ts";

export class SubscriberOrder implements Checker {
  readonly #isCluster: boolean;
  readonly #last = new Map<string, bigint>();

  constructor({ plan }: Pick<Evidence, "plan">) {
    this.#isCluster = plan.topology === "cluster";
  }

  see(fact: Fact): Finding | undefined {
    if (fact.kind !== "pushed") return undefined;
    const { client, registId, session, service, version } = fact;
    const key = this.#isCluster ? `${registId} ${session}` : registId;
    const last = this.#last.get(key) ?? 0n;
    this.#last.set(key, version);
    if (version >= last) return undefined;
    const text = `${client} (${registId}) got v${version} from ${session} after v${last}`;
    return { rule: "3 a subscriber never goes back", service, text };
  }
}
