// Rule 2: versions of a service only grow, whoever leads it and whatever restarts.

import type { DataToSession } from "../../messages/sessionData.ts";
import type { DataInfoId } from "../../model/ids.ts";
import type { Fact } from "../facts.ts";
import type { Checker, Finding } from "./checker.ts";

export class VersionsGrow implements Checker {
  readonly #newest = new Map<DataInfoId, bigint>();

  see(fact: Fact): Finding | undefined {
    if (fact.kind !== "told") return undefined;
    const spoken = versionOf(fact.message);
    if (spoken === undefined) return undefined;
    const { service, version } = spoken;
    const newest = this.#newest.get(service) ?? 0n;
    if (version < newest) {
      return {
        rule: "2 versions grow",
        service,
        text: `${fact.from} speaks of v${version} after v${newest} was spoken of`,
      };
    }
    this.#newest.set(service, version);
    return undefined;
  }
}

function versionOf(message: DataToSession): { service: DataInfoId; version: bigint } | undefined {
  if (message.kind === "snapshot") return { service: message.datum.dataInfoId, version: message.datum.version };
  if (message.kind === "delta") return { service: message.delta.dataInfoId, version: message.delta.version };
  return message.kind === "changed" ? { service: message.dataInfoId, version: message.version } : undefined;
}
