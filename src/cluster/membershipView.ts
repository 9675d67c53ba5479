// A member's view of its cluster: the newest membership that it has heard, the time of its next heartbeat, and the
// links it needs. Session and data nodes share it.

import {
  compareMembers,
  HEARTBEAT_INTERVAL_MS,
  type Heartbeat,
  type Member,
  type MemberAddress,
  type MemberRole,
  type Members,
  type MembersVersion,
  type MemberToMeta,
  NO_MEMBERS,
} from "./messages/membership.ts";

type DataReport = Required<Pick<Heartbeat, "slots" | "newestVersion">>;

type Epochs = Required<Pick<Heartbeat, "tableEpoch" | "rulesEpoch">>;

interface Effects {
  toMeta(message: MemberToMeta): void;
  /** Keep links to exactly these nodes. */
  link(nodes: readonly MemberAddress[]): void;
}

export class MembershipView {
  readonly #self: { readonly role: MemberRole; readonly address: string };
  readonly #effects: Effects;
  #members: Members | undefined;
  #linked: readonly MemberAddress[] = [];
  #isLeaving = false;
  #heartbeatMs = Number.NEGATIVE_INFINITY;

  constructor(self: { readonly role: MemberRole; readonly address: string }, effects: Effects) {
    this.#self = self;
    this.#effects = effects;
  }

  /** The newest membership; undefined before the first one. */
  get members(): Members | undefined {
    return this.#members;
  }

  /** The node has announced that it wants to stop. */
  get isLeaving(): boolean {
    return this.#isLeaving;
  }

  /** Accepts a later membership; returns false if it is not later. */
  joined(members: Members): boolean {
    if (this.#members !== undefined && compareMembers(members, this.#members) <= 0) return false;
    this.#members = members;
    return true;
  }

  /** Announces that the node wants to stop. */
  leave(): void {
    this.#isLeaving = true;
    this.heartbeatSoon();
  }

  /** The next heartbeat carries news for the meta nodes, so it is due at once. */
  heartbeatSoon(): void {
    this.#heartbeatMs = Number.NEGATIVE_INFINITY;
  }

  /** The time at which the next heartbeat is due. */
  nextMs(): number {
    return this.#heartbeatMs + HEARTBEAT_INTERVAL_MS;
  }

  /** `data` is the further report of a data node. */
  heartbeat({ nowMs, data, ...epochs }: Epochs & { data?: DataReport; nowMs: number }): void {
    this.#heartbeatMs = nowMs;
    const message: Heartbeat = {
      ...this.#self,
      kind: "heartbeat",
      ...epochs,
      members: versionOf(this.#members ?? NO_MEMBERS),
      isLeaving: this.#isLeaving,
    };
    this.#effects.toMeta({ ...message, ...data });
  }

  /**
   * Asks for links to the wanted members if these or their addresses have changed. It also asks for nodes that are
   * linked and no longer listed: a meta node that has just begun to lead may not have heard of them yet.
   */
  link(isWanted: (member: Member, isListed: boolean) => boolean): void {
    const list = this.#members?.list ?? [];
    const unlisted = this.#linked.filter(({ id, role }) => !list.some((one) => one.id === id && one.role === role));
    const nodes = [
      ...list.filter((member) => isWanted(member, true)),
      ...unlisted.filter((member) => isWanted(member, false)),
    ];
    const isSame =
      nodes.length === this.#linked.length &&
      nodes.every(({ id, address }, at) => this.#linked[at]?.id === id && this.#linked[at]?.address === address);
    if (isSame) return;
    this.#linked = nodes;
    this.#effects.link(nodes);
  }
}

function versionOf({ epoch, serial }: MembersVersion): MembersVersion {
  return { epoch, serial };
}
