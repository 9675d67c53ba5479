// Counts the messages between the nodes of a simulated cluster by their size on the wire.

import { assert } from "../../base/assert.ts";
import { encodeMemberToMeta, encodeMetaToMember } from "../../cluster/codec/membership.ts";
import { encodeFollowerToLeader, encodeLeaderToFollower } from "../../cluster/codec/replication.ts";
import { encodeDataToSession, encodeSessionToData } from "../../cluster/codec/sessionData.ts";
import type { NodeId } from "../../model/ids.ts";
import type { Fact } from "../facts.ts";

/** Messages of one kind, and their bytes with the frame around them. */
export interface Count {
  messages: number;
  bytes: number;
}

// A Bolt head and the name of the link.
const FRAME_BYTES = 45;

/** Counts by kind of message, and the number of messages that each node received. */
export class Traffic {
  readonly kinds = new Map<string, Count>();
  readonly received = new Map<string, Count>();
  readonly #metas: number;

  constructor(metas: number) {
    this.#metas = metas;
  }

  /** Counts a fact if it is a message between nodes. */
  see(fact: Fact): void {
    switch (fact.kind) {
      case "heartbeat":
        return this.#add(fact.message.kind, {
          to: undefined,
          messages: this.#metas,
          bytes: encodeMemberToMeta(fact.message).length,
        });
      case "ruled":
        return this.#one(fact.message.kind, fact.to.id, encodeMetaToMember(fact.message).length);
      case "asked":
        return this.#one(fact.message.kind, fact.to, encodeSessionToData(fact.message).length);
      case "told":
        return this.#one(fact.message.kind, fact.to, encodeDataToSession(fact.message).length);
      case "followed":
        return this.#one(fact.message.kind, fact.to, encodeFollowerToLeader(fact.message).length);
      case "replicated":
        return this.#one(fact.message.kind, fact.to, encodeLeaderToFollower(fact.message).length);
      default:
        return;
    }
  }

  /** All messages of these kinds. */
  sum(kinds: readonly string[]): Count {
    const sum = { messages: 0, bytes: 0 };
    for (const kind of kinds) {
      const count = this.kinds.get(kind);
      sum.messages += count?.messages ?? 0;
      sum.bytes += count?.bytes ?? 0;
    }
    return sum;
  }

  get total(): Count {
    return this.sum([...this.kinds.keys()]);
  }

  #one(kind: string, to: NodeId, bytes: number): void {
    this.#add(kind, { to, messages: 1, bytes });
  }

  #add(kind: string, { to, messages, bytes }: { to: NodeId | undefined; messages: number; bytes: number }): void {
    assert(bytes > 0, "every message has bytes");
    const whole = messages * (bytes + FRAME_BYTES);
    grow(this.kinds, kind, { messages, bytes: whole });
    if (to !== undefined) grow(this.received, to, { messages, bytes: whole });
  }
}

function grow(counts: Map<string, Count>, key: string, { messages, bytes }: Count): void {
  const count = counts.get(key) ?? { messages: 0, bytes: 0 };
  counts.set(key, count);
  count.messages += messages;
  count.bytes += bytes;
}
