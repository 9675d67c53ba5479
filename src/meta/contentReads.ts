// Contents on their way from the store to the members that have asked for them: some at a time, and each one once for
// all members.

import type { Member } from "../cluster/messages/membership.ts";
import { MembersByName } from "./membersByName.ts";

const READS_MAX = 16;
const WAITING_MAX = 20_000;

/** A read that the store has answered. */
export interface EndedRead {
  readonly id: string;
  readonly members: readonly Member[];
}

export class ContentReads {
  readonly #members = new MembersByName();
  readonly #waiting = new Set<string>();
  /** The revision of each request under way. */
  readonly #underWay = new Map<number, string>();

  /** A member wants a content. If too many wait it has to ask again. */
  want(id: string, member: Member): void {
    if (this.#members.has(id)) return this.#members.add(id, member);
    if (this.#waiting.size >= WAITING_MAX) return;
    this.#waiting.add(id);
    this.#members.add(id, member);
  }

  /** Begins as many reads as may be under way; `read` asks the store and returns the number of the request. */
  begin(read: (id: string) => number): void {
    for (const id of this.#waiting) {
      if (this.#underWay.size >= READS_MAX) return;
      this.#waiting.delete(id);
      this.#underWay.set(read(id), id);
    }
  }

  /** The store has answered a request; undefined if it is not one of these. */
  answered(request: number): EndedRead | undefined {
    const id = this.#underWay.get(request);
    this.#underWay.delete(request);
    return id === undefined ? undefined : { id, members: this.#members.take(id) };
  }

  /** The member is gone. */
  ended(member: Member): void {
    this.#members.ended(member);
  }

  clear(): void {
    this.#waiting.clear();
    this.#underWay.clear();
    this.#members.clear();
  }
}
