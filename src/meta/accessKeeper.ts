// Identities and policies at a node with the store. Each change is one commit that demands the epoch that it was made
// for, so several meta nodes may change them, and none undoes what another one did unseen. The node looks for the epoch
// twice a second, and reads everything when it has changed. While the store is away it goes on with what it knows.

import { type AccessEdit, changeOf, type EditContext } from "../access/accessEdit.ts";
import { LOOK_MS } from "../access/accessFollower.ts";
import { type AccessChange, type AccessSet, NO_CHANGE } from "../access/accessSet.ts";
import { AccessHistory, type AccessTold } from "../access/accessTold.ts";
import { fail, RegistryError } from "../base/errors.ts";
import type { Cancel, Clock, Log, Timers } from "../base/ports.ts";
import { isCredible, VersionSource } from "../model/version.ts";
import type { Commit, CommitOutcome, StoredRecord } from "../records/records.ts";
import { ACCESS_EPOCH_RECORD, accessIn, operationsOf } from "./accessRecords.ts";

/** The store as this part asks it. It answers each question once; an error: it failed, or its answer was lost. */
export interface AccessStore {
  /** The revision of the epoch's record; 0 if there is none. */
  readEpoch(answered: (revision: bigint | RegistryError) => void): void;
  /** All records of identities and policies. */
  readAll(answered: (records: readonly StoredRecord[] | RegistryError) => void): void;
  commit(commit: Commit, answered: (outcome: CommitOutcome | RegistryError) => void): void;
}

export interface KeeperEnvironment {
  readonly store: AccessStore;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
  /** The node has the next set. */
  readonly changed: (set: AccessSet) => void;
}

/** Called once, with the error that kept something from being done. */
export type Done = (error?: RegistryError) => void;

// A writer that comes second reads and tries again. Operators are few.
const TRIES_MAX = 5;
// Each waits for one commit.
const WAITING_MAX = 100;

export class AccessKeeper {
  readonly #environment: KeeperEnvironment;
  readonly #history = new AccessHistory();
  readonly #epochs: VersionSource;
  /** The revision of the epoch's record, as of the set; undefined before the first reading. */
  #revision: bigint | undefined;
  /** An epoch that some node has. The store has lost changes if it is below. */
  #heard: bigint;
  /** Looks and changes come one after the other. */
  readonly #turns: ((over: () => void) => void)[] = [];
  #isInTurn = false;
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

  /** Looks for changes from now on. `done` is called when the store was read, or failed, for the first time. */
  begin(done: () => void): void {
    this.#inTurn((over) => {
      this.#look((error) => {
        over();
        this.#hasComplained = error !== undefined && this.#complain(error);
        if (!this.#isClosed) {
          this.#cancel = this.#environment.timers.after(LOOK_MS, () => this.begin(() => undefined));
        }
        done();
      });
    });
  }

  /** The changes that a node lacks that has this epoch; undefined: none. */
  since(epoch: bigint): AccessTold | undefined {
    if (epoch > this.#heard && isCredible(epoch, this.#environment.clock.nowMs())) this.#heard = epoch;
    return this.#history.since(epoch);
  }

  /**
   * Makes a change. `done` is called when the store has it, or with the reason why it can't be made, STORE_UNAVAILABLE,
   * or STORE_OUTCOME_UNKNOWN.
   */
  change(edit: AccessEdit, context: EditContext, done: Done): void {
    if (this.#waiting >= WAITING_MAX) {
      const reason = "too many changes are waiting for the store";
      return done(fail("STORE_UNAVAILABLE", { reason, waiting: WAITING_MAX }));
    }
    this.#waiting++;
    this.#inTurn((over) => {
      const end: Done = (error) => {
        this.#waiting--;
        over();
        done(error);
      };
      if (this.#revision === undefined) this.#readAnd(() => this.#try(edit, { context, tries: 1 }, end), end);
      else this.#try(edit, { context, tries: 1 }, end);
    });
  }

  /** May be called twice. */
  close(): void {
    this.#isClosed = true;
    this.#cancel();
  }

  #inTurn(run: (over: () => void) => void): void {
    this.#turns.push(run);
    if (!this.#isInTurn) this.#nextTurn();
  }

  #nextTurn(): void {
    const run = this.#turns.shift();
    this.#isInTurn = run !== undefined;
    run?.(() => this.#nextTurn());
  }

  #complain(error: RegistryError): true {
    if (!this.#hasComplained && !this.#isClosed) {
      const reason = error.message;
      this.#environment.log.warn("identities and policies can't be read; the node goes on with what it knows", {
        reason,
      });
    }
    return true;
  }

  #look(done: Done): void {
    this.#environment.store.readEpoch((revision) => {
      if (revision instanceof RegistryError) done(revision);
      else if (revision !== this.#revision) this.#readAnd(() => this.#raise(done), done);
      else this.#raise(done);
    });
  }

  /** Gives what the store has a later epoch if nodes have a later one, which brings them all to it. */
  #raise(done: Done): void {
    const { set } = this.#history;
    if (set.epoch >= this.#heard) return done();
    this.#epochs.raise(this.#heard);
    this.#commit(NO_CHANGE, (outcome) => done(outcome instanceof RegistryError ? outcome : undefined));
  }

  #readAnd(then: () => void, failed: Done): void {
    this.#environment.store.readAll((records) => {
      if (records instanceof RegistryError) return failed(records);
      const epochRecord = records.find(({ key }) => key === ACCESS_EPOCH_RECORD.prefix);
      const set = read(records);
      if (set instanceof RegistryError) return failed(set);
      this.#take(set, epochRecord?.revision ?? 0n);
      then();
    });
  }

  #take(set: AccessSet, revision: bigint): void {
    this.#revision = revision;
    this.#epochs.raise(set.epoch);
    if (this.#history.set.epoch > this.#heard) this.#heard = this.#history.set.epoch;
    this.#history.add(set);
    this.#environment.changed(set);
  }

  #try(edit: AccessEdit, at: { readonly context: EditContext; readonly tries: number }, done: Done): void {
    const change = changeOf(edit, this.#history.set, at.context);
    if (change instanceof RegistryError) return done(change);
    this.#commit(change, (outcome) => {
      if (outcome instanceof RegistryError) return done(uncertain(outcome));
      if (outcome === "made") return done();
      if (at.tries === TRIES_MAX) {
        const reason = "other operators change identities all the time";
        return done(fail("STORE_UNAVAILABLE", { reason, tries: TRIES_MAX }));
      }
      this.#readAnd(() => this.#try(edit, { ...at, tries: at.tries + 1 }, done), done);
    });
  }

  /** Makes a change of the present set, unless another node was faster. */
  #commit(change: AccessChange, answered: (outcome: "made" | "late" | RegistryError) => void): void {
    const { store, clock } = this.#environment;
    const { set } = this.#history;
    const epoch = this.#epochs.next(clock.nowMs(), 0n);
    const key = ACCESS_EPOCH_RECORD.prefix;
    const conditions = [{ kind: "revision", key, revision: this.#revision ?? 0n }] as const;
    store.commit({ conditions, operations: operationsOf(change, epoch) }, (outcome) => {
      if (outcome instanceof RegistryError) return answered(outcome);
      if (outcome.kind !== "committed") return answered("late");
      this.#take(set.changed(change, epoch), outcome.revision);
      answered("made");
    });
  }
}

/** The identities and policies of the store, or STORE_DAMAGED. */
function read(records: readonly StoredRecord[]): AccessSet | RegistryError {
  try {
    return accessIn(records);
  } catch (error) {
    if (error instanceof RegistryError) return error;
    throw error;
  }
}

/** The error of a commit. A store that has failed may have made it, or may still make it. */
function uncertain(error: RegistryError): RegistryError {
  return error.code === "STORE_UNAVAILABLE" ? fail("STORE_OUTCOME_UNKNOWN", { reason: error.message }) : error;
}
