// The blocks of nodes in the role meta: a set of records that operators change, and what follows for the members.

import type { RegistryError } from "../base/errors.ts";
import type { Heartbeat, Member, MetaToMember } from "../cluster/messages/membership.ts";
import { nodeNameOf } from "../model/ids.ts";
import type { SlotTable } from "../model/slot.ts";
import type { Operation, StoredRecord } from "../records/records.ts";
import { type BlockedNode, BlockedNodes, type NodeBlock } from "./blockedNodes.ts";
import { blockRefusal } from "./blockRefusal.ts";
import {
  BLOCKED_NODE_RECORDS,
  BLOCKED_PLACE_RECORDS,
  decodeRecord,
  encodeRecord,
  keyOf,
  recordsOf,
} from "./metaRecords.ts";
import { RecordSet, type Save } from "./recordSet.ts";

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
  /** The blocked nodes as the store has them. */
  readonly records: RecordSet<BlockedNode, NodeBlock>;
  readonly #output: BlocksOutput;
  readonly #blocked = new BlockedNodes();
  readonly #nodes = new Map<string, BlockedNode>();

  constructor(output: BlocksOutput) {
    this.#output = output;
    this.records = new RecordSet<BlockedNode, NodeBlock>({
      codec: BLOCKED_NODE_RECORDS,
      save: ({ node, isBlocked }) => ({ kind: isBlocked ? "put" : "remove", value: this.#known(node) }),
      besides: placeOperation,
      loaded: (nodes, records) => this.#load(nodes, records),
      saved: ({ kind, value }, nowMs) => this.#saved(value, kind === "put", nowMs),
    });
  }

  get names(): ReadonlySet<string> {
    return this.#blocked.names;
  }

  /** The blocked nodes, with what is known of them. */
  nodes(): Iterable<BlockedNode> {
    return this.#nodes.values();
  }

  /** The reason why a node would not be blocked or unblocked; undefined if it would. */
  refusal(block: NodeBlock): RegistryError | undefined {
    const { underWay, waiting } = this.records;
    const begun = underWay === undefined ? [] : [{ node: underWay.value.node, isBlocked: underWay.kind === "put" }];
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

  /** The node with its host and roles: a session that is blocked is soon no member any more. */
  #known(node: string): BlockedNode {
    const members = [...this.#output.members()].filter(([{ id }]) => nodeNameOf(id) === node);
    const [first] = members;
    if (first === undefined) return this.#nodes.get(node) ?? { node };
    const [, { address }] = first;
    const host = address.slice(0, address.lastIndexOf(":"));
    return { node, host, roles: [...new Set(members.map(([{ role }]) => role))] };
  }

  #load(nodes: readonly BlockedNode[], records: readonly StoredRecord[]): void {
    this.#blocked.load(nodes.map(({ node }) => node));
    const places = recordsOf(BLOCKED_PLACE_RECORDS, records).map((one) => decodeRecord(BLOCKED_PLACE_RECORDS, one));
    this.#nodes.clear();
    for (const each of nodes) this.#nodes.set(each.node, each);
    // A node of an earlier release may have ended the block, and has left the place.
    for (const each of places) if (this.#blocked.names.has(each.node)) this.#nodes.set(each.node, each);
  }

  #saved(value: BlockedNode, isBlocked: boolean, nowMs: number): void {
    if (!this.#output.isInCharge()) return this.#output.readAgain(nowMs);
    this.#blocked.set(value.node, isBlocked);
    if (isBlocked) this.#nodes.set(value.node, value);
    else this.#nodes.delete(value.node);
    this.#output.changed(nowMs);
    this.dismissAll();
  }
}

/** The place of a blocked node is written and removed with the block. */
function placeOperation({ kind, value }: Save<BlockedNode>): readonly Operation[] {
  const key = keyOf(BLOCKED_PLACE_RECORDS, value);
  if (kind === "remove") return [{ kind: "delete", key }];
  return value.host === undefined ? [] : [{ kind, key, value: encodeRecord(BLOCKED_PLACE_RECORDS, value) }];
}
