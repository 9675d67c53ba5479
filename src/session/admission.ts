// Decides whether a registration, or the end of one, is taken now. A refused client tries again, usually half a second
// later: so a storm after the death of another session is spread out, and no client that is already served waits behind
// it.

import type { Account } from "../base/budget.ts";
import { fail, type RegistryError } from "../base/errors.ts";
import type { Client } from "./client.ts";
import type { DataLinks } from "./dataLinks.ts";
import type { Publications } from "./publications.ts";

// Ends of registrations that wait for a data node, at some 500 bytes each.
const WAITING_BEYOND_HELD_MAX = 100_000;

export class Admission {
  readonly #options: { readonly clientRegistrationsMax: number };
  readonly #publications: Publications;
  readonly #links: DataLinks;

  constructor(options: { readonly clientRegistrationsMax: number }, publications: Publications, links: DataLinks) {
    this.#options = options;
    this.#publications = publications;
    this.#links = links;
  }

  /** The error for a registration that is one too many; `isKnown` means that the client already has it. */
  refusal(client: Client, { isKnown, nowMs }: { isKnown: boolean; nowMs: number }): RegistryError | undefined {
    const max = this.#options.clientRegistrationsMax;
    const held = client.registrations;
    if (!isKnown && held >= max) return fail("REGISTRATIONS_EXHAUSTED", { client: client.id, held, max });
    return client.account.work(nowMs) ?? this.#backlog();
  }

  /** The same for a registration that is kept by heartbeats, or its end: no connection holds it. */
  leaseRefusal(account: Account, nowMs: number): RegistryError | undefined {
    return account.work(nowMs) ?? this.#backlog();
  }

  /**
   * The waiting changes concern registrations held here, except for some: while the data nodes are away these must not
   * grow.
   */
  #backlog(): RegistryError | undefined {
    const { waiting } = this.#links;
    const max = this.#publications.size + WAITING_BEYOND_HELD_MAX;
    return waiting > max ? fail("OVERLOADED", { waiting, max }) : undefined;
  }
}
