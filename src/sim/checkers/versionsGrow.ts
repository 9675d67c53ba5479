// Rule 2: versions of a service only grow, whatever restarts. With several leaders each goes forward by itself; the
// subscribers' checks show that one continues above the other. A leader that lost the slot to one that knew nothing of
// it, and got it back from that one, no longer knows its own earlier versions.

import type { DataToSession } from "../../cluster/messages/sessionData.ts";
import type { ServiceKey } from "../../model/ids.ts";
import type { Fact } from "../facts.ts";
import { countOf } from "../plan.ts";
import type { Checker, Evidence, Finding } from "./checker.ts";

export class VersionsGrow implements Checker {
  readonly #evidence: Evidence;
  readonly #isAlone: boolean;
  readonly #newest = new Map<string, { readonly version: bigint; readonly atMs: number }>();

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
    this.#isAlone = countOf(evidence.plan, "data") === 1;
  }

  see(fact: Fact, nowMs: number): Finding | undefined {
    if (fact.kind !== "told") return undefined;
    const spoken = versionOf(fact.message);
    if (spoken === undefined) return undefined;
    const { service, version } = spoken;
    // A single data node, however often it restarts, has one disk; of several each run counts by itself.
    const key = this.#isAlone ? service : `${service} ${fact.from}`;
    const newest = this.#newest.get(key);
    this.#newest.set(key, { version, atMs: nowMs });
    if (newest === undefined || version >= newest.version) return undefined;
    const losses = this.#isAlone ? [] : this.#evidence.nodes.lossesOf(service);
    if (losses.some(({ hasCopy, atMs }) => !hasCopy && atMs > newest.atMs)) return undefined;
    const text = `${fact.from} speaks of v${version} after v${newest.version} was spoken of`;
    return { rule: "2 versions grow", service, text };
  }
}

function versionOf(message: DataToSession): { service: ServiceKey; version: bigint } | undefined {
  if (message.kind === "snapshot") return { service: message.datum.serviceKey, version: message.datum.version };
  if (message.kind === "delta") return { service: message.delta.serviceKey, version: message.delta.version };
  return message.kind === "changed" ? { service: message.serviceKey, version: message.version.version } : undefined;
}
