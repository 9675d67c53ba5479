// A node's knowledge of identities and policies: from the store, if it has it, else from the meta nodes, and at the
// start from its own disk.

import type { AccessEdit, EditContext } from "../access/accessEdit.ts";
import { AccessFollower, type FollowerEnvironment } from "../access/accessFollower.ts";
import type { AccessSet } from "../access/accessSet.ts";
import { type AccessTold, AccessView, writeTold } from "../access/accessTold.ts";
import { fail } from "../base/errors.ts";
import type { Cancel, Clock, Log, Timers } from "../base/ports.ts";
import { AccessKeeper, type AccessStore, type Done } from "./accessKeeper.ts";

export interface KnownAccessEnvironment extends Omit<FollowerEnvironment, "changed"> {
  /** Undefined for a node without the role meta. */
  readonly store: AccessStore | undefined;
  /** The copy on the node's disk; undefined without one, and for one that can't be read. */
  readonly readCopy: () => AccessTold | undefined;
  readonly writeCopy: (set: AccessSet) => void;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
}

// The disk has a copy of a change a moment later: many changes at once are written once.
const WRITE_AFTER_MS = 1_000;

export class KnownAccess {
  readonly #environment: KnownAccessEnvironment;
  readonly #keeper: AccessKeeper | undefined;
  readonly #follower: AccessFollower | undefined;
  #set: AccessSet;
  #cancelWrite: Cancel | undefined;

  constructor(environment: KnownAccessEnvironment) {
    this.#environment = environment;
    const { store, readCopy } = environment;
    const view = new AccessView();
    const known = readCopy();
    if (known !== undefined) view.received(known);
    this.#set = view.set;
    const changed = (set: AccessSet) => this.#changed(set);
    if (store !== undefined) this.#keeper = new AccessKeeper({ ...environment, store, changed }, this.#set.epoch);
    else this.#follower = new AccessFollower({ ...environment, changed }, view);
  }

  /** The newest that is known. */
  get set(): AccessSet {
    return this.#set;
  }

  /** Whether the store, or a meta node, has told what there is since the process was started. */
  get isUpToDate(): boolean {
    return this.#keeper?.hasRead ?? this.#follower?.hasHeard ?? false;
  }

  /** Follows the changes. `done` is called when the store was read, or failed; for a node without the store at once. */
  begin(done: () => void): void {
    this.#follower?.begin();
    if (this.#keeper === undefined) done();
    else this.#keeper.begin(done);
  }

  /** The changes that another node lacks, by its epoch, as JSON. Throws ROLE_NEEDED at a node without the store. */
  tell(epoch: string): string {
    if (this.#keeper === undefined) throw fail("ROLE_NEEDED", { role: "meta" });
    const told = this.#keeper.since(/^\d{1,19}$/.test(epoch) ? BigInt(epoch) : 0n);
    return told === undefined ? "null" : writeTold(told);
  }

  /** Makes a change; it is in force here when `done` is called without an error. */
  change(edit: AccessEdit, context: EditContext, done: Done): void {
    if (this.#keeper === undefined) done(fail("ROLE_NEEDED", { role: "meta" }));
    else this.#keeper.change(edit, context, done);
  }

  /** Asks the meta nodes for changes now, so that the operator who made one finds it here. */
  refresh(done: () => void): void {
    if (this.#follower === undefined) done();
    else this.#follower.refresh(done);
  }

  /** May be called twice. */
  close(): void {
    this.#keeper?.close();
    this.#follower?.close();
    if (this.#cancelWrite !== undefined) this.#write();
  }

  #changed(set: AccessSet): void {
    this.#set = set;
    this.#cancelWrite ??= this.#environment.timers.after(WRITE_AFTER_MS, () => this.#write());
  }

  #write(): void {
    this.#cancelWrite?.();
    this.#cancelWrite = undefined;
    this.#environment.writeCopy(this.#set);
  }
}
