// Rule 2: versions of a service only grow, whatever restarts. With several leaders each goes forward by itself; the
// subscribers' checks show that one continues above the other. A leader that lost the slot to one that knew nothing of
// it, and got it back from that one, no longer knows its own earlier versions. Nor does one that was cut off, went on
// by itself after it had been replaced, and has forgotten a service without publishers and subscribers: it goes on from
// the list of the leader that replaced it. A session that still shows the higher version would tell it.

import type { DataToSession } from "../../cluster/messages/sessionData.ts";
import type { DatumVersion } from "../../model/datum.ts";
import type { ServiceKey } from "../../model/ids.ts";
import type { Fact } from "../facts.ts";
import { countOf } from "../plan.ts";
import type { Checker, Evidence, Finding } from "./checker.ts";

interface Spoken {
  readonly service: ServiceKey;
  readonly version: bigint;
  /** The epoch of the leader that gave the version. */
  readonly origin: bigint;
}

export class VersionsGrow implements Checker {
  readonly #evidence: Evidence;
  readonly #isAlone: boolean;
  readonly #newest = new Map<string, Omit<Spoken, "service"> & { readonly atMs: number }>();

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
    this.#isAlone = countOf(evidence.plan, "data") === 1;
  }

  see(fact: Fact, nowMs: number): Finding | undefined {
    if (fact.kind !== "told") return undefined;
    const spoken = versionOf(fact.message);
    if (spoken === undefined) return undefined;
    const { service, version, origin } = spoken;
    // A single data node, however often it restarts, has one disk; of several each run counts by itself.
    const key = this.#isAlone ? service : `${service} ${fact.from}`;
    const newest = this.#newest.get(key);
    this.#newest.set(key, { version, origin, atMs: nowMs });
    if (newest === undefined || version >= newest.version) return undefined;
    const losses = this.#isAlone ? [] : this.#evidence.nodes.lossesOf(service);
    if (losses.some(({ hasCopy, atMs }) => !hasCopy && atMs > newest.atMs)) return undefined;
    const wasReplaced = newest.atMs > this.#evidence.nodes.replacedMs(service, newest.origin);
    if (!this.#isAlone && wasReplaced && origin > newest.origin) return undefined;
    const text = `${fact.from} speaks of v${version} after v${newest.version} was spoken of`;
    return { rule: "2 versions grow", service, text };
  }
}

function versionOf(message: DataToSession): Spoken | undefined {
  switch (message.kind) {
    case "snapshot":
      return spokenOf(message.datum.serviceKey, message.datum);
    case "delta":
      return spokenOf(message.delta.serviceKey, message.delta);
    case "changed":
      return spokenOf(message.serviceKey, message.version);
    default:
      return undefined;
  }
}

function spokenOf(service: ServiceKey, { version, origin }: DatumVersion): Spoken {
  return { service, version, origin };
}
