// Rule 7: when all is whole again and has been quiet for a while, every subscriber's last list is what the living
// clients publish, and every client is served.

import type { DataInfoId } from "../../model/ids.ts";
import type { Fact, LiveClient } from "../facts.ts";
import type { Checker, Evidence, Finding } from "./checker.ts";
import type { KnownRegistration } from "./registrations.ts";

interface WatchedList {
  readonly client: string;
  readonly service: DataInfoId;
  readonly zone: string | undefined;
  last: { readonly version: bigint; readonly entries: readonly string[] } | undefined;
}

export class Convergence implements Checker {
  readonly #evidence: Evidence;
  readonly #lists = new Map<string, WatchedList>();

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
  }

  see(fact: Fact): Finding | undefined {
    switch (fact.kind) {
      case "subscribed": {
        const { client, service, registId, scope, zone } = fact;
        this.#lists.set(registId, { client, service, zone: scope === "zone" ? zone : undefined, last: undefined });
        return undefined;
      }
      case "unsubscribed":
        this.#lists.delete(fact.registId);
        return undefined;
      case "pushed": {
        const list = this.#lists.get(fact.registId);
        if (fact.isTaken && list !== undefined) list.last = { version: fact.version, entries: fact.entries };
        return undefined;
      }
      case "over":
        return this.#unserved(fact) ?? this.#differing();
      default:
        return undefined;
    }
  }

  #unserved({ live }: Fact & { kind: "over" }): Finding | undefined {
    const unserved = live.find((one) => !one.isConnected || one.undone > this.#rightlyRefused(one));
    if (unserved === undefined) return undefined;
    const { client, isConnected, undone } = unserved;
    const text = `${client} is ${isConnected ? "" : "not "}connected, and ${undone} registrations are not acknowledged`;
    return { rule: "7 convergence", service: undefined, text };
  }

  /** How many registrations of the client another one has that lives. */
  #rightlyRefused({ client, heldByOthers = [] }: LiveClient): number {
    const { registrations } = this.#evidence;
    return heldByOthers.filter(({ service, registId }) =>
      registrations.twins(service, registId).some((twin) => twin.client !== client && this.#isLive(twin)),
    ).length;
  }

  #differing(): Finding | undefined {
    for (const [registId, list] of this.#lists) {
      const { client, service, last } = list;
      if (this.#evidence.registrations.client(client).diedMs !== undefined) continue;
      const difference = this.#difference(list);
      if (difference === undefined) continue;
      const text = `the last list of ${client} (${registId}), v${last?.version ?? 0n}, ${difference}`;
      return { rule: "7 convergence", service, text };
    }
    return undefined;
  }

  #difference({ service, zone, last }: WatchedList): string | undefined {
    if (last === undefined) return "never came";
    if (this.#isAhead(service, last.version)) return undefined;
    const surplus = new Set(last.entries);
    for (const twins of this.#evidence.registrations.ofService(service)) {
      const fitting = twins.filter((twin) => zone === undefined || twin.zone === zone);
      const live = fitting.filter((twin) => this.#isLive(twin));
      const shown = live.filter((twin) => surplus.delete(entryOf(twin)));
      const missing =
        twins.length === 1 ? live.find((twin) => !shown.includes(twin)) : this.#missingWinner(twins, shown);
      if (missing !== undefined && fitting.includes(missing)) return `lacks ${entryOf(missing)}`;
    }
    return surplus.size === 0 ? undefined : `still has ${[...surplus].join(" ")}`;
  }

  /**
   * After a restart of everything a new leader may begin below the versions that clients have seen, if the one that
   * gave them is not back in time, and they drop what it says: known, and not cured (docs/bugs.md).
   */
  #isAhead(service: DataInfoId, version: bigint): boolean {
    const newest = this.#evidence.commits.newest(service);
    return this.#evidence.nodes.hasBlackedOut && newest !== undefined && version > newest.version;
  }

  /** Of clients that share a registId the newest must be seen; once that one is gone, the others may or may not be. */
  #missingWinner(
    twins: readonly KnownRegistration[],
    shown: readonly KnownRegistration[],
  ): KnownRegistration | undefined {
    const newest = twins.reduce((max, { version }) => (version > max ? version : max), 0n);
    const [winner, other] = twins.filter(({ version }) => version === newest);
    const isClear = winner !== undefined && other === undefined && this.#isLive(winner) && this.#isTaken(winner);
    return isClear && !shown.includes(winner) ? winner : undefined;
  }

  /** Its session has taken it, and has not given it to another client that was there before. */
  #isTaken({ client, version, acknowledgements }: KnownRegistration): boolean {
    const { open } = this.#evidence.registrations.client(client);
    return acknowledgements.some((one) => one.version === version && open.has(one.connection));
  }

  #isLive({ client, isRegistered }: KnownRegistration): boolean {
    return isRegistered && this.#evidence.registrations.client(client).diedMs === undefined;
  }
}

function entryOf({ zone, token }: KnownRegistration): string {
  return `${zone}/${token}`;
}
