// A member's links to all meta nodes: it sends everything to each that it can reach.

import type { MemberToMeta, MetaToMember } from "../../cluster/messages/membership.ts";
import type { Caller, Dialed, Port } from "./port.ts";

export class MetaLinks {
  readonly #links: readonly Dialed<MemberToMeta>[];
  readonly #reached = new Set<string>();

  constructor(
    port: Port<MemberToMeta, MetaToMember>,
    caller: Caller,
    { metas, up, received }: { metas: readonly string[]; up: () => void; received: (message: MetaToMember) => void },
  ) {
    this.#links = metas.map((machine) =>
      port.dial(
        caller,
        { machine, expected: undefined },
        {
          up: () => {
            this.#reached.add(machine);
            up();
          },
          down: () => void this.#reached.delete(machine),
          received: (_from, message) => received(message),
        },
      ),
    );
  }

  /** Whether a meta node can be reached. */
  get hasMeta(): boolean {
    return this.#reached.size > 0;
  }

  send(message: MemberToMeta): void {
    for (const link of this.#links) link.send(message);
  }
}
