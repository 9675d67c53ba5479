// The membership as it is sent to the members: whole lists, each with a version. The first change after quiet is sent
// at once. While a cluster starts and hundreds join within a second, changes gather, for every member is told of every
// other.

import { compareMembers, type Member, type Members, type MembersVersion } from "../cluster/messages/membership.ts";
import { keyOf } from "./membership.ts";

// After a list of n members, the next one waits n times this: sending it costs n messages of n entries.
const GATHER_MS_PER_MEMBER = 1;

export class MemberList {
  #epoch = 0n;
  #told: Members | undefined;
  /** The members of the last list under this lease, which they still have while the next one is waited for. */
  #listed: ReadonlySet<string> = new Set();
  #tellAtMs = Number.POSITIVE_INFINITY;
  #quietMs = Number.NEGATIVE_INFINITY;
  /** The latest version given, by this node or, as members report, by others. */
  #newest: MembersVersion = { epoch: 0n, serial: 0 };

  /** The highest epoch that this node knows of. */
  get newestEpoch(): bigint {
    return this.#newest.epoch > this.#epoch ? this.#newest.epoch : this.#epoch;
  }

  /** A lead begins. Its first list is sent at `tellAtMs`, and nothing before. */
  begin(epoch: bigint, tellAtMs: number): void {
    // Members may have the list of another leader since.
    if (epoch !== this.#epoch) this.#listed = new Set();
    this.#epoch = epoch;
    this.#told = undefined;
    this.#tellAtMs = tellAtMs;
  }

  /** The list has changed. */
  changed(): void {
    if (this.#told !== undefined) this.#tellAtMs = Math.min(this.#tellAtMs, this.#quietMs);
  }

  /** A member reports the version of its list. Returns true if only a later leader can have sent it. */
  heard(version: MembersVersion): boolean {
    if (compareMembers(version, this.#newest) <= 0) return false;
    this.#newest = { epoch: version.epoch, serial: version.serial };
    return version.epoch >= this.#epoch;
  }

  /** The list to send to all members now, if it is time. */
  take(told: () => Omit<Members, keyof MembersVersion>, nowMs: number): Members | undefined {
    if (nowMs < this.#tellAtMs) return undefined;
    // Usually the lease's epoch is the highest. If the store has lost the last ones, members must still take this list
    // for a later one.
    const { epoch, serial } = this.#newest;
    const version = this.#epoch > epoch ? { epoch: this.#epoch, serial: 1 } : { epoch, serial: serial + 1 };
    this.#newest = version;
    this.#told = { ...version, ...told() };
    this.#listed = new Set(this.#told.list.map(keyOf));
    this.#tellAtMs = Number.POSITIVE_INFINITY;
    this.#quietMs = nowMs + this.#told.list.length * GATHER_MS_PER_MEMBER;
    return this.#told;
  }

  /** The last list under this lease names the member, so the others know its address. */
  isListed(member: Member): boolean {
    return this.#listed.has(keyOf(member));
  }

  /** The list for a member that has `version`; undefined if it has the newest, or there is none to send yet. */
  answer(version: MembersVersion): Members | undefined {
    const told = this.#told;
    return told !== undefined && compareMembers(version, told) !== 0 ? told : undefined;
  }

  nextMs(): number {
    return this.#tellAtMs;
  }
}
