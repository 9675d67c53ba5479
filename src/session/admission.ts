// Whether a registration, or the end of one, is taken now. One that is refused is tried again by its client, half a
// second later as a rule: so a storm after the death of another session is spread out, and nobody who is served already
// waits behind it.

import { fail, type RegistryError } from "../base/errors.ts";
import type { Client } from "./client.ts";
import type { DataLinks } from "./dataLinks.ts";
import type { Publications } from "./publications.ts";

// Ends of registrations that wait for a data node, at some 500 bytes each.
const WAITING_BEYOND_HELD_MAX = 100_000;

export class Admission {
  readonly #clientRegistrationsMax: number;
  readonly #publications: Publications;
  readonly #links: DataLinks;

  constructor(clientRegistrationsMax: number, publications: Publications, links: DataLinks) {
    this.#clientRegistrationsMax = clientRegistrationsMax;
    this.#publications = publications;
    this.#links = links;
  }

  /** The error to answer a registration with that is one too many; `isKnown` is one that the client has already. */
  refusal(client: Client, { isKnown, nowMs }: { isKnown: boolean; nowMs: number }): RegistryError | undefined {
    const max = this.#clientRegistrationsMax;
    const held = client.registrations;
    if (!isKnown && held >= max) return fail("REGISTRATIONS_EXHAUSTED", { client: client.id, held, max });
    return client.account.work(nowMs) ?? this.#backlog();
  }

  /** What waits for the data nodes speaks of what is held here, but for some: while they are away it must not grow. */
  #backlog(): RegistryError | undefined {
    const { waiting } = this.#links;
    const max = this.#publications.size + WAITING_BEYOND_HELD_MAX;
    return waiting > max ? fail("OVERLOADED", { waiting, max }) : undefined;
  }
}
