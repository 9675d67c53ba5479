// The links between data nodes and sessions, and between followers and leaders, as the roles hear of them: each begins
// and ends in turn, and when all has been well for long none leads to a process that is gone.

import type { NodeId } from "../../model/ids.ts";
import type { Fact, Role } from "../facts.ts";
import type { Checker, Evidence, Finding } from "./checker.ts";

/** One node's link to another one, which has this role. */
interface KnownLink {
  readonly kind: "data" | "replication";
  readonly owner: NodeId;
  readonly role: Role;
  readonly peer: NodeId;
}

export class LinkChecker implements Checker {
  readonly #evidence: Evidence;
  readonly #up = new Map<string, KnownLink>();

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
  }

  see(fact: Fact): Finding | undefined {
    switch (fact.kind) {
      case "linkMade":
      case "linkLost":
        return this.#changed(
          { kind: "data", owner: fact.session, role: "data", peer: fact.data },
          fact.kind === "linkMade",
        );
      case "sessionLink":
        return this.#changed({ kind: "data", owner: fact.data, role: "session", peer: fact.session }, fact.isUp);
      case "followerLink":
        return this.#changed({ kind: "replication", owner: fact.follower, role: "data", peer: fact.leader }, fact.isUp);
      case "stopped":
        for (const [key, { owner }] of this.#up) if (owner === fact.node) this.#up.delete(key);
        return undefined;
      case "over":
        return this.#last();
      default:
        return undefined;
    }
  }

  #changed(link: KnownLink, isUp: boolean): Finding | undefined {
    const { kind, owner, role, peer } = link;
    const key = `${kind} ${owner} ${role} ${peer}`;
    if (this.#up.has(key) === isUp) {
      return found(`${owner} hears twice that its link to ${peer} ${isUp ? "is up" : "has ended"}`);
    }
    if (isUp) this.#up.set(key, link);
    else this.#up.delete(key);
    return undefined;
  }

  #last(): Finding | undefined {
    for (const { owner, role, peer } of this.#up.values()) {
      if (this.#evidence.nodes.run(role, peer)?.stopMs === Number.POSITIVE_INFINITY) continue;
      return found(`${owner} still has a link to ${peer}, which is gone`);
    }
    return undefined;
  }
}

function found(text: string): Finding {
  return { rule: "links: up and down in turn", service: undefined, text };
}
