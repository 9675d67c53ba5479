// The other meta nodes, as this one knows them from the list of meta addresses. Meta nodes need nothing of each other
// but the store; they keep links all the same, so that each can tell whether the others are there, and hears from the
// leader which nodes are blocked.

import type { NodeId } from "../../model/ids.ts";
import { compareMembers, type Members } from "../messages/membership.ts";
import { type Greeter, helloOf } from "./dialledLinks.ts";
import { type DialerEnvironment, LinkDialer } from "./linkDialer.ts";
import type { NodeMessages } from "./nodeMessages.ts";
import type { OperationCalls, Way } from "./operationCalls.ts";

export interface MetaPeer {
  readonly address: string;
  /** The node there; undefined while it can't be reached, or refuses this node. */
  readonly id: NodeId | undefined;
}

export class MetaPeers {
  readonly #dialers: readonly (readonly [address: string, dialer: LinkDialer])[];
  #members: Members | undefined;

  constructor(
    self: Greeter & { readonly metaAddresses: readonly string[] },
    words: NodeMessages<"roster.MetaToMember">,
    operations: OperationCalls,
    environment: DialerEnvironment,
  ) {
    const hello = helloOf(self, { link: "meta", roles: ["meta"] });
    this.#dialers = self.metaAddresses.map((address) => {
      const events = {
        up: () => undefined,
        received: (_: NodeId, className: string, content: Uint8Array) => {
          if (operations.received(className, content, (answer) => dialer.send(answer))) return;
          const message = words.decode(className, content);
          if (message?.kind === "members") this.#heard(message.members);
        },
        down: () => undefined,
      };
      const dialer: LinkDialer = new LinkDialer({ address, hello }, events, environment);
      return [address, dialer];
    });
  }

  /** The link to that meta node, if it is up. */
  to(node: NodeId): Way | undefined {
    for (const [, dialer] of this.#dialers) if (dialer.peer === node) return (message) => dialer.send(message);
    return undefined;
  }

  /** All but this node itself. */
  list(): MetaPeer[] {
    return this.#dialers.flatMap(([address, { peer, isOwn }]) => (isOwn ? [] : [{ address, id: peer }]));
  }

  /** The newest membership that another meta node has sent as leader. */
  get members(): Members | undefined {
    return this.#members;
  }

  close(): void {
    for (const [, dialer] of this.#dialers) dialer.close();
  }

  #heard(members: Members): void {
    if (this.#members === undefined || compareMembers(members, this.#members) > 0) this.#members = members;
  }
}
