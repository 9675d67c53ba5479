// Members that wait for something, by its name.

import type { Member } from "../cluster/messages/membership.ts";
import { keyOf } from "./membership.ts";

const NONE: readonly Member[] = [];

export class MembersByName {
  readonly #byName = new Map<string, Map<string, Member>>();

  get size(): number {
    return this.#byName.size;
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  add(name: string, member: Member): void {
    const members = this.#byName.get(name) ?? new Map<string, Member>();
    this.#byName.set(name, members.set(keyOf(member), member));
  }

  /** Those that wait for this; they do not wait any more. */
  take(name: string): readonly Member[] {
    const members = this.#byName.get(name);
    this.#byName.delete(name);
    return members === undefined ? NONE : [...members.values()];
  }

  /** The member is gone. The names stay: an answer to none does no harm. */
  ended(member: Member): void {
    for (const members of this.#byName.values()) members.delete(keyOf(member));
  }

  clear(): void {
    this.#byName.clear();
  }
}
