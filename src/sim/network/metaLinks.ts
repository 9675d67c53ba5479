// A member's links to all meta nodes: it says everything to each that it can reach.

import type { MemberToMeta, MetaToMember } from "../../messages/membership.ts";
import type { Caller, Dialed, Port } from "./port.ts";

export class MetaLinks {
  readonly #links: readonly Dialed<MemberToMeta>[];

  constructor(
    port: Port<MemberToMeta, MetaToMember>,
    caller: Caller,
    { metas, up, received }: { metas: readonly string[]; up: () => void; received: (message: MetaToMember) => void },
  ) {
    this.#links = metas.map((machine) =>
      port.dial(
        caller,
        { machine, expected: undefined },
        { up, down: () => undefined, received: (_from, message) => received(message) },
      ),
    );
  }

  send(message: MemberToMeta): void {
    for (const link of this.#links) link.send(message);
  }
}
