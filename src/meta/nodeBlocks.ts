// The blocks of nodes in the role meta: a set of records that operators change, and what follows for the members.

import type { RegistryError } from "../base/errors.ts";
import type { Heartbeat, Member, MetaToMember } from "../cluster/messages/membership.ts";
import type { SlotTable } from "../model/slot.ts";
import { BlockedNodes, type NodeBlock } from "./blockedNodes.ts";
import { blockRefusal } from "./blockRefusal.ts";
import { BLOCKED_NODE_RECORDS } from "./metaRecords.ts";
import { RecordSet } from "./recordSet.ts";

/** The effects, and the surroundings that they depend on. */
export interface BlocksOutput {
  send(to: Member, message: MetaToMember): void;
  /** All members, with their last heartbeats. */
  members(): Iterable<readonly [Member, Heartbeat]>;
  slotTable(): SlotTable | undefined;
  /** Ends the membership of a node that must go. */
  dismiss(member: Member): void;
  /** Whether the node leads, and knows what the store has. */
  isInCharge(): boolean;
  /** The store may have been read before it had a change that it has. */
  readAgain(nowMs: number): void;
  /** The list of members and the slots are to follow a change. */
  changed(nowMs: number): void;
}

export class NodeBlocks {
  /** The names of blocked nodes as the store has them. */
  readonly records: RecordSet<string, NodeBlock>;
  readonly #output: BlocksOutput;
  readonly #blocked = new BlockedNodes();

  constructor(output: BlocksOutput) {
    this.#output = output;
    this.records = new RecordSet<string, NodeBlock>({
      codec: BLOCKED_NODE_RECORDS,
      save: ({ node, isBlocked }) => ({ kind: isBlocked ? "put" : "remove", value: node }),
      loaded: (names) => this.#blocked.load(names),
      saved: ({ kind, value }, nowMs) => this.#saved({ node: value, isBlocked: kind === "put" }, nowMs),
    });
  }

  get names(): ReadonlySet<string> {
    return this.#blocked.names;
  }

  /** The reason why a node would not be blocked or unblocked; undefined if it would. */
  refusal(block: NodeBlock): RegistryError | undefined {
    const { underWay, waiting } = this.records;
    const begun = underWay === undefined ? [] : [{ node: underWay.value, isBlocked: underWay.kind === "put" }];
    return blockRefusal(block, {
      members: [...this.#output.members()].map(([member]) => member),
      blocked: this.#blocked.names,
      toCome: [...begun, ...waiting],
      slotTable: this.#output.slotTable(),
    });
  }

  /** Sends the members away that are blocked and lead nothing any more. */
  dismissAll(): void {
    for (const [member] of [...this.#output.members()]) this.dismiss(member);
  }

  /** Sends this member away if it is blocked; returns true if it was. */
  dismiss(member: Member): boolean {
    const reason = this.#blocked.refusalOf(member, this.#output.slotTable());
    if (reason === undefined) return false;
    this.#output.send(member, { kind: "refused", reason });
    this.#output.dismiss(member);
    return true;
  }

  #saved({ node, isBlocked }: NodeBlock, nowMs: number): void {
    if (!this.#output.isInCharge()) return this.#output.readAgain(nowMs);
    this.#blocked.set(node, isBlocked);
    this.#output.changed(nowMs);
    this.dismissAll();
  }
}
