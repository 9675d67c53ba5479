// Identities and policies at a node with the store. Each change is one commit that demands the epoch that it was made
// for, so several meta nodes may change them, and none undoes what another one did unseen. The node looks for the epoch
// twice a second, and reads everything when it has changed. While the store is away it goes on with what it knows.

import { type AccessEdit, changeOf, type EditContext } from "../../access/accessEdit.ts";
import { type AccessSet, NO_CHANGE } from "../../access/accessSet.ts";
import { AccessHistory, type AccessTold } from "../../access/accessTold.ts";
import { fail, RegistryError } from "../../base/errors.ts";
import type { Cancel, Clock, Log, Timers } from "../../base/ports.ts";
import { ACCESS_EPOCH_RECORD, ACCESS_PREFIX, accessIn, operationsOf } from "../../meta/accessRecords.ts";
import { isCredible, VersionSource } from "../../model/version.ts";
import { keyAlone, keysWith } from "../../records/keys.ts";
import { readAll } from "../../records/readAll.ts";
import type { Records } from "../../records/records.ts";

export interface KeeperEnvironment {
  readonly store: Pick<Records, "range" | "commit">;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
  /** The node has the next set. */
  readonly changed: (set: AccessSet) => void;
  /** Called for a bug: the node must end. */
  readonly failed: (error: unknown) => void;
}

/** The interval at which nodes look for changes: one that was made elsewhere is in force within a second. */
export const LOOK_MS = 500;

// A writer that comes second reads and tries again. Operators are few.
const TRIES_MAX = 5;
// Each waits for one commit.
const WAITING_MAX = 100;
// Far above the bounds of identities and policies.
const RECORDS_MAX = 100_000;

export class AccessKeeper {
  readonly #environment: KeeperEnvironment;
  readonly #history = new AccessHistory();
  readonly #epochs: VersionSource;
  /** The revision of the epoch's record, as of the set; undefined before the first reading. */
  #revision: bigint | undefined;
  /** An epoch that some node has. The store has lost changes if it is below. */
  #heard: bigint;
  #turns: Promise<void> = Promise.resolve();
  #waiting = 0;
  #cancel: Cancel = () => undefined;
  #isClosed = false;
  #hasComplained = false;

  /** `known`: an epoch that this node had before it was restarted. */
  constructor(environment: KeeperEnvironment, known: bigint) {
    this.#environment = environment;
    this.#epochs = new VersionSource(known);
    this.#heard = known;
  }

  /** Whether the store was read. */
  get hasRead(): boolean {
    return this.#revision !== undefined;
  }

  /** Looks for changes from now on. Resolves when the store was read, or failed, for the first time. */
  begin(): Promise<void> {
    return this.#lookAgain();
  }

  /** The changes that a node lacks that has this epoch; undefined: none. */
  since(epoch: bigint): AccessTold | undefined {
    if (epoch > this.#heard && isCredible(epoch, this.#environment.clock.nowMs())) this.#heard = epoch;
    return this.#history.since(epoch);
  }

  /**
   * Makes a change, and resolves when the store has it. Rejects with the reason why it can't be made,
   * STORE_UNAVAILABLE, or STORE_OUTCOME_UNKNOWN.
   */
  async change(edit: AccessEdit, context: EditContext): Promise<void> {
    if (this.#waiting >= WAITING_MAX) {
      throw fail("STORE_UNAVAILABLE", { reason: "too many changes are waiting for the store", waiting: WAITING_MAX });
    }
    this.#waiting++;
    try {
      await this.#inTurn(() => this.#change(edit, context));
    } finally {
      this.#waiting--;
    }
  }

  /** May be called twice. */
  close(): void {
    this.#isClosed = true;
    this.#cancel();
  }

  /** Reads and changes come one after the other. */
  #inTurn(run: () => Promise<void>): Promise<void> {
    const turn = this.#turns.then(run);
    this.#turns = turn.catch(() => undefined);
    return turn;
  }

  async #lookAgain(): Promise<void> {
    try {
      await this.#inTurn(() => this.#look());
      this.#hasComplained = false;
    } catch (error) {
      this.#complain(error);
    }
    if (this.#isClosed) return;
    this.#cancel = this.#environment.timers.after(LOOK_MS, () => void this.#lookAgain());
  }

  #complain(error: unknown): void {
    if (!(error instanceof RegistryError)) return this.#environment.failed(error);
    if (!this.#hasComplained && !this.#isClosed) {
      const reason = error.message;
      this.#environment.log.warn("identities and policies can't be read; the node goes on with what it knows", {
        reason,
      });
    }
    this.#hasComplained = true;
  }

  async #look(): Promise<void> {
    const { store, clock } = this.#environment;
    const { key, revision } = await this.#epochRecord();
    if (revision !== this.#revision) await this.#read();
    const { set } = this.#history;
    if (set.epoch >= this.#heard) return;
    // A later epoch brings all nodes to what the store has.
    this.#epochs.raise(this.#heard);
    const epoch = this.#epochs.next(clock.nowMs(), 0n);
    const conditions = [{ kind: "revision", key, revision: this.#revision ?? 0n }] as const;
    const outcome = await store.commit({ conditions, operations: operationsOf(NO_CHANGE, epoch) });
    if (outcome.kind === "committed") this.#take(set.changed(NO_CHANGE, epoch), outcome.revision);
  }

  async #epochRecord(): Promise<{ readonly key: string; readonly revision: bigint }> {
    const key = ACCESS_EPOCH_RECORD.prefix;
    const page = await this.#environment.store.range(keyAlone(key));
    return { key, revision: page.kind === "page" ? (page.records[0]?.revision ?? 0n) : 0n };
  }

  async #read(): Promise<void> {
    const { records } = await readAll(this.#environment.store, keysWith(ACCESS_PREFIX), RECORDS_MAX);
    const epochRecord = records.find(({ key }) => key === ACCESS_EPOCH_RECORD.prefix);
    this.#take(accessIn(records), epochRecord?.revision ?? 0n);
  }

  #take(set: AccessSet, revision: bigint): void {
    this.#revision = revision;
    this.#epochs.raise(set.epoch);
    if (this.#history.set.epoch > this.#heard) this.#heard = this.#history.set.epoch;
    this.#history.add(set);
    this.#environment.changed(set);
  }

  async #change(edit: AccessEdit, context: EditContext): Promise<void> {
    const { store, clock } = this.#environment;
    for (let tries = 1; tries <= TRIES_MAX; tries++) {
      if (tries > 1 || this.#revision === undefined) await this.#read();
      const { set } = this.#history;
      const change = changeOf(edit, set, context);
      if (change instanceof RegistryError) throw change;
      const epoch = this.#epochs.next(clock.nowMs(), 0n);
      const key = ACCESS_EPOCH_RECORD.prefix;
      const conditions = [{ kind: "revision", key, revision: this.#revision ?? 0n }] as const;
      const outcome = await certain(store.commit({ conditions, operations: operationsOf(change, epoch) }));
      if (outcome.kind === "committed") return this.#take(set.changed(change, epoch), outcome.revision);
    }
    throw fail("STORE_UNAVAILABLE", { reason: "other operators change identities all the time", tries: TRIES_MAX });
  }
}

/** The outcome of a commit. A store that has failed may have made it, or may still make it. */
async function certain<Outcome>(outcome: Promise<Outcome>): Promise<Outcome> {
  try {
    return await outcome;
  } catch (error) {
    if (error instanceof RegistryError && error.code === "STORE_UNAVAILABLE") {
      throw fail("STORE_OUTCOME_UNKNOWN", { reason: error.message });
    }
    throw error;
  }
}
