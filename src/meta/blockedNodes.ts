// Nodes that an operator has blocked, by their names. A blocked data node is drained: it counts as leaving for as long
// as it is blocked. A blocked session is refused, and its clients go elsewhere.

import type { Member, MemberRole } from "../cluster/messages/membership.ts";
import { nodeNameOf } from "../model/ids.ts";
import type { SlotTable } from "../model/slot.ts";

/** A blocked node. Its host and roles are those of its members when it was blocked, if there were any. */
export interface BlockedNode {
  readonly node: string;
  readonly host?: string;
  readonly roles?: readonly MemberRole[];
}

/** Blocks a node by its name, or unblocks it. */
export interface NodeBlock {
  readonly node: string;
  readonly isBlocked: boolean;
}

export class BlockedNodes {
  #names: ReadonlySet<string> = new Set();

  get names(): ReadonlySet<string> {
    return this.#names;
  }

  load(names: Iterable<string>): void {
    this.#names = new Set(names);
  }

  set(name: string, isBlocked: boolean): void {
    const names = new Set(this.#names);
    if (isBlocked) names.add(name);
    else names.delete(name);
    this.#names = names;
  }

  /**
   * The reason why the member must go; undefined if it may stay. A refused process ends, so a session that shares one
   * with data is kept until another node leads its slots.
   */
  refusalOf({ role, id }: Member, table: SlotTable | undefined): string | undefined {
    const name = nodeNameOf(id);
    if (role !== "session" || !this.#names.has(name)) return undefined;
    if (table?.slots.some(({ leader }) => leader === id) === true) return undefined;
    // With the longest name, a UUID, this is as long as an error's value may be.
    return `node "${name}" is blocked; to unblock it: roster unblock ${name}`;
  }
}
