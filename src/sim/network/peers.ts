// The links of one process to others of one kind: those that it dials, and those that it has accepted.

import type { MemberAddress } from "../../cluster/messages/membership.ts";
import type { NodeId } from "../../model/ids.ts";
import type { LinkEnd, LinkHandlers } from "./link.ts";
import type { Caller, Dialed, DialHandlers, Port } from "./port.ts";

const PORT_NUMBER = 9620;

export function addressOf(machine: string): string {
  return `${machine}:${PORT_NUMBER}`;
}

export function machineOf(address: string): string {
  return address.slice(0, address.lastIndexOf(":"));
}

interface KeptLink<Out> {
  readonly address: string;
  readonly dialed: Dialed<Out>;
  isUp: boolean;
}

/** Links to exactly the processes that were requested last. */
export class DialedPeers<Out, In> {
  readonly #port: Port<Out, In>;
  readonly #caller: Caller;
  readonly #handlers: DialHandlers<In>;
  readonly #links = new Map<NodeId, KeptLink<Out>>();

  constructor(port: Port<Out, In>, caller: Caller, handlers: DialHandlers<In>) {
    this.#port = port;
    this.#caller = caller;
    this.#handlers = handlers;
  }

  /** A link that is no longer wanted ends; its end is reported like any other, but only after this call. */
  keep(nodes: readonly MemberAddress[], soon: (run: () => void) => void): void {
    const wanted = new Map(nodes.map(({ id, address }) => [id, address]));
    for (const [id, { address, dialed, isUp }] of [...this.#links]) {
      if (wanted.get(id) === address) continue;
      this.#links.delete(id);
      dialed.close();
      if (isUp) soon(() => this.#handlers.down(id));
    }
    for (const [id, address] of wanted) if (!this.#links.has(id)) this.#dial(id, address);
  }

  send(node: NodeId, message: Out): boolean {
    return this.#links.get(node)?.dialed.send(message) ?? false;
  }

  #dial(id: NodeId, address: string): void {
    const { up, down, received } = this.#handlers;
    const dialed = this.#port.dial(
      this.#caller,
      { machine: machineOf(address), expected: id },
      {
        up: (peer) => {
          link.isUp = true;
          up(peer);
        },
        down: (peer) => {
          link.isUp = false;
          down(peer);
        },
        received,
      },
    );
    const link = { address, dialed, isUp: false };
    this.#links.set(id, link);
  }
}

/** Links that others have made to this process. Of two from one process the later one counts. */
export class AcceptedPeers<Out, In> {
  readonly #handlers: DialHandlers<In>;
  readonly #ends = new Map<NodeId, LinkEnd<Out>>();

  constructor(handlers: DialHandlers<In>) {
    this.#handlers = handlers;
  }

  accept(from: NodeId, end: LinkEnd<Out>): LinkHandlers<In> {
    const before = this.#ends.get(from);
    this.#ends.set(from, end);
    if (before !== undefined) {
      before.close();
      this.#handlers.down(from);
    }
    this.#handlers.up(from);
    return {
      received: (message) => {
        if (this.#ends.get(from) === end) this.#handlers.received(from, message);
      },
      down: () => {
        if (this.#ends.get(from) !== end) return;
        this.#ends.delete(from);
        this.#handlers.down(from);
      },
    };
  }

  send(node: NodeId, message: Out): boolean {
    return this.#ends.get(node)?.send(message) ?? false;
  }
}
