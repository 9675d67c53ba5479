// Rule 7: when all is whole again and has been quiet for a while, every subscriber's last list is the living clients'
// publications, and every client is served. G11 is the same for a registration that its client took back at some time:
// the client's last action stands, however often and over whichever connections it acted before.

import { nodeId, type ServiceKey } from "../../model/ids.ts";
import type { Fact, LiveClient } from "../facts.ts";
import type { Checker, Evidence, Finding } from "./checker.ts";
import { type Commit, listOf } from "./commits.ts";
import { isOfTheDead } from "./lostVersions.ts";
import type { KnownRegistration } from "./registrations.ts";

interface WatchedList {
  readonly client: string;
  readonly service: ServiceKey;
  readonly zone: string | undefined;
  /** The session that pushed to it last. */
  session: string;
  last: { readonly version: bigint; readonly entries: readonly string[] } | undefined;
}

/** A surplus or missing entry of a list, and whether its client took the registration back once. */
interface Difference {
  readonly text: string;
  readonly wasTakenBack: boolean;
}

const MISSING: Difference = { text: "never came", wasTakenBack: false };

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
        const ofZone = scope === "zone" ? zone : undefined;
        this.#lists.set(registId, { client, service, zone: ofZone, session: "", last: undefined });
        return undefined;
      }
      case "unsubscribed":
        this.#lists.delete(fact.registId);
        return undefined;
      case "pushed": {
        const list = this.#lists.get(fact.registId);
        if (list === undefined) return undefined;
        list.session = fact.session;
        if (fact.isTaken) list.last = { version: fact.version, entries: fact.entries };
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

  /** The number of the client's registrations that another living client has. */
  #rightlyRefused({ client, heldByOthers = [] }: LiveClient): number {
    const { registrations } = this.#evidence;
    return heldByOthers.filter(({ service, registId }) =>
      registrations.twins(service, registId).some((twin) => twin.client !== client && registrations.isHeld(twin)),
    ).length;
  }

  #differing(): Finding | undefined {
    for (const [registId, { client, service, zone, session, last }] of this.#lists) {
      if (this.#evidence.registrations.client(client).diedMs !== undefined) continue;
      if (this.#evidence.rules.holds({ client, service })) continue;
      const dropped = last === undefined ? undefined : this.#rightlyDropped(service, last.version, session);
      const entries = dropped === undefined ? last?.entries : entriesOf(dropped, zone);
      const difference = entries === undefined ? MISSING : this.#difference(service, { zone, entries });
      if (difference === undefined) continue;
      const text = `the last list of ${client} (${registId}), v${(dropped ?? last)?.version ?? 0n}, ${difference.text}`;
      return { rule: difference.wasTakenBack ? "G11 order of one client" : "7 convergence", service, text };
    }
    return undefined;
  }

  #difference(
    service: ServiceKey,
    { zone, entries }: { zone: string | undefined; entries: readonly string[] },
  ): Difference | undefined {
    const surplus = new Set(entries);
    for (const twins of this.#evidence.registrations.ofService(service)) {
      const fitting = twins.filter((twin) => zone === undefined || twin.zone === zone);
      const live = fitting.filter((twin) => this.#isLive(twin));
      const shown = live.filter((twin) => surplus.delete(entryOf(twin)));
      // Of clients that share a registId one has it; it may be one that this list does not show.
      const mayBeSeen = shown.length > 0 || twins.some((twin) => !fitting.includes(twin) && this.#isLive(twin));
      const winner = mayBeSeen ? undefined : this.#winner(twins);
      const missing = twins.length === 1 ? live.find((twin) => !shown.includes(twin)) : winner;
      if (missing === undefined || !fitting.includes(missing)) continue;
      const wasTakenBack = twins.length === 1 && missing.unpublished.length > 0;
      return { text: `lacks ${entryOf(missing)}`, wasTakenBack };
    }
    if (surplus.size === 0) return undefined;
    const text = `still has ${[...surplus].join(" ")}`;
    return { text, wasTakenBack: [...surplus].every((entry) => this.#wasTakenBack(service, entry)) };
  }

  /** The registration belongs to one living client alone, which took it back once. */
  #wasTakenBack(service: ServiceKey, entry: string): boolean {
    const { registrations } = this.#evidence;
    const [registId = ""] = entry.slice(entry.indexOf("/") + 1).split("~");
    const [registration, twin] = registrations.twins(service, registId);
    if (registration === undefined || twin !== undefined || registration.unpublished.length === 0) return false;
    return registrations.client(registration.client).diedMs === undefined;
  }

  /**
   * The list that the subscriber's session shows it, if it rightly drops that: a leader that no living node remembers
   * showed it a later version (docs/bugs.md, known and not cured).
   */
  #rightlyDropped(service: ServiceKey, version: bigint, session: string): Commit | undefined {
    const { commits, nodes } = this.#evidence;
    const held = commits.heldAt(nodeId(session), service);
    if (held === undefined || held.version >= version) return undefined;
    return nodes.hasBlackedOut || isOfTheDead(this.#evidence, service, version) ? held : undefined;
  }

  /**
   * Of clients that share a registId the newest must be seen if no other is. Once that one is gone, none may be. Nor if
   * another one that is hidden by a rule may have the registration: it keeps that from those that want it.
   */
  #winner(twins: readonly KnownRegistration[]): KnownRegistration | undefined {
    const newest = twins.reduce((max, { version }) => (version > max ? version : max), 0n);
    const [winner, other] = twins.filter(({ version }) => version === newest);
    const isClear = winner !== undefined && other === undefined && this.#isLive(winner) && this.#isTaken(winner);
    return isClear && !twins.some((twin) => twin !== winner && this.#isHiddenHolder(twin)) ? winner : undefined;
  }

  /** It may have what others want, and no list shows it. */
  #isHiddenHolder(registration: KnownRegistration): boolean {
    const isHeld = this.#evidence.registrations.isHeld(registration);
    return isHeld && !this.#isLive(registration) && this.#isTaken(registration);
  }

  /** Its session has taken it, and has not given it to another client that was there before. */
  #isTaken({ client, version, acknowledgements }: KnownRegistration): boolean {
    const { open } = this.#evidence.registrations.client(client);
    return acknowledgements.some((one) => one.version === version && open.has(one.connection));
  }

  /** A living client has it, and no rule hides it. A rule is nothing to other clients that want it. */
  #isLive(registration: KnownRegistration): boolean {
    return this.#evidence.registrations.isHeld(registration) && !this.#evidence.rules.hides(registration);
  }
}

function entryOf({ zone, token }: KnownRegistration): string {
  return `${zone}/${token}`;
}

function entriesOf(commit: Commit, zone: string | undefined): string[] {
  const list = listOf(commit, zone);
  return list === "" ? [] : list.split("\n");
}
