// G11: what one client did last under one registration is what stands, however often it registered and took back
// before, and over whichever connections.

import type { DataInfoId } from "../../model/ids.ts";
import type { Fact } from "../facts.ts";
import type { Checker, Evidence, Finding } from "./checker.ts";

export class ClientOrder implements Checker {
  readonly #evidence: Evidence;
  // Without a subscriber nobody is told how a service stands.
  readonly #subscribers = new Map<string, { readonly client: string; readonly service: DataInfoId }>();

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
  }

  see(fact: Fact): Finding | undefined {
    if (fact.kind === "subscribed") this.#subscribers.set(fact.registId, fact);
    if (fact.kind === "unsubscribed") this.#subscribers.delete(fact.registId);
    return fact.kind === "over" ? this.#look() : undefined;
  }

  #look(): Finding | undefined {
    const { registrations, commits } = this.#evidence;
    const living = [...this.#subscribers.values()].filter(
      ({ client }) => registrations.client(client).diedMs === undefined,
    );
    const watched = new Set(living.map(({ service }) => service));
    for (const registration of registrations.all()) {
      const { service, registId, client, version, isRegistered, unpublished } = registration;
      const isAlone = registrations.twins(service, registId).length === 1;
      const commit = commits.newest(service);
      if (!isAlone || !watched.has(service) || unpublished.length === 0 || commit === undefined) continue;
      if (registrations.client(client).diedMs !== undefined) continue;
      const shown = commit.content.get(registId);
      const stands = isRegistered ? shown?.token === registration.token : shown === undefined;
      if (stands) continue;
      const wanted = isRegistered ? `registered as version ${version}` : `taken back as version ${version}`;
      const text = `${registId} was last ${wanted}, v${commit.version} has ${shown?.token ?? "nothing"}`;
      return { rule: "G11 order of one client", service, text };
    }
    return undefined;
  }
}
