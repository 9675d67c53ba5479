// The revisions that instances name, and the time since which each session can read each of them.

import type { NodeId } from "../../model/ids.ts";
import type { Fact } from "../facts.ts";

export class KnownRevisions {
  readonly #ofToken = new Map<string, string>();
  /** By session and revision; those that a session was given to register count when they are stored. */
  readonly #sinceMs = new Map<string, number>();
  readonly #sent = new Set<string>();

  see(fact: Fact, nowMs: number): void {
    switch (fact.kind) {
      case "published":
        if (fact.revision !== undefined) this.#ofToken.set(fact.token, fact.revision);
        return;
      case "revisionSent":
        this.#sent.add(keyOf(fact.node, fact.revision));
        return;
      case "learned":
        return this.#learned(fact, nowMs);
      default:
    }
  }

  /** The revision that an entry of a list, `zone/token`, names. */
  named(entry: string): string | undefined {
    return this.#ofToken.get(entry.slice(entry.indexOf("/") + 1));
  }

  /** Infinity if the session can't read it. */
  readableSinceMs(session: string, revision: string): number {
    return this.#sinceMs.get(keyOf(session, revision)) ?? Number.POSITIVE_INFINITY;
  }

  #learned({ node, message }: Extract<Fact, { kind: "learned" }>, nowMs: number): void {
    if (message.kind === "revisions") for (const { id } of message.found) this.#readable(node, id, nowMs);
    if (message.kind !== "revisionsStored") return;
    for (const id of message.stored) if (this.#sent.has(keyOf(node, id))) this.#readable(node, id, nowMs);
  }

  #readable(node: NodeId, id: string, nowMs: number): void {
    const key = keyOf(node, id);
    if (!this.#sinceMs.has(key)) this.#sinceMs.set(key, nowMs);
  }
}

function keyOf(session: string, revision: string): string {
  return `${session} ${revision}`;
}
