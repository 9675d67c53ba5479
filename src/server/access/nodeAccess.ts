// This node's knowledge of identities and policies: from the store, if it has it, else from the meta nodes, and at the
// start from its own disk.

import type { AccessEdit, EditContext } from "../../access/accessEdit.ts";
import { AccessFollower } from "../../access/accessFollower.ts";
import { type AccessSet, NO_ACCESS_RECORDS } from "../../access/accessSet.ts";
import { AccessView, writeTold } from "../../access/accessTold.ts";
import { fail } from "../../base/errors.ts";
import type { Cancel, Clock, Log, Timers } from "../../base/ports.ts";
import type { OperationCalls } from "../../cluster/links/operationCalls.ts";
import { AccessKeeper } from "../../meta/accessKeeper.ts";
import type { NodeId } from "../../model/ids.ts";
import type { Records } from "../../records/records.ts";
import { readAccessFile, writeAccessFile } from "./accessFile.ts";
import { accessStoreOf } from "./accessStore.ts";

export interface AccessEnvironment {
  readonly dataDir: string;
  /** Undefined for a node without the role meta. */
  readonly store: Pick<Records, "range" | "commit"> | undefined;
  readonly operations: Pick<OperationCalls, "ask">;
  readonly metaNodes: () => Iterable<NodeId>;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
  readonly failed: (error: unknown) => void;
}

// The disk has a copy of a change a moment later: many changes at once are written once.
const WRITE_AFTER_MS = 1_000;

export class NodeAccess {
  readonly #environment: AccessEnvironment;
  readonly #view = new AccessView();
  readonly #keeper: AccessKeeper | undefined;
  readonly #follower: AccessFollower | undefined;
  #set = NO_ACCESS_RECORDS;
  #cancelWrite: Cancel | undefined;

  constructor(environment: AccessEnvironment) {
    this.#environment = environment;
    const { dataDir, store: records, operations, log, failed } = environment;
    const known = readAccessFile(dataDir, log);
    if (known !== undefined) this.#view.received(known);
    this.#set = this.#view.set;
    const changed = (set: AccessSet) => this.#changed(set);
    const ask: OperationCalls["ask"] = (...question) => operations.ask(...question);
    if (records !== undefined) {
      const store = accessStoreOf(records, failed);
      this.#keeper = new AccessKeeper({ ...environment, store, changed }, this.#set.epoch);
    } else this.#follower = new AccessFollower({ ...environment, ask, changed }, this.#view);
  }

  /** The newest that is known. */
  get set(): AccessSet {
    return this.#set;
  }

  /** Whether the store, or a meta node, has told what there is since the process was started. */
  get isUpToDate(): boolean {
    return this.#keeper?.hasRead ?? this.#follower?.hasHeard ?? false;
  }

  /** Resolves when the store was read, or failed; for a node without the store at once. */
  async begin(): Promise<void> {
    this.#follower?.begin();
    await new Promise<void>((resolve) => (this.#keeper === undefined ? resolve() : this.#keeper.begin(resolve)));
  }

  /** The changes that another node lacks, by its epoch, as JSON. Throws ROLE_NEEDED at a node without the store. */
  tell(epoch: string): string {
    if (this.#keeper === undefined) throw fail("ROLE_NEEDED", { role: "meta" });
    const told = this.#keeper.since(/^\d{1,19}$/.test(epoch) ? BigInt(epoch) : 0n);
    return told === undefined ? "null" : writeTold(told);
  }

  /** Makes a change; it is in force here when the promise resolves. Rejects with a RegistryError. */
  async change(edit: AccessEdit, context: EditContext): Promise<void> {
    const keeper = this.#keeper;
    if (keeper === undefined) throw fail("ROLE_NEEDED", { role: "meta" });
    await new Promise<void>((resolve, reject) => {
      keeper.change(edit, context, (error) => (error === undefined ? resolve() : reject(error)));
    });
  }

  /** Asks the meta nodes for changes now, so that the operator who made one finds it here. */
  async refresh(): Promise<void> {
    const follower = this.#follower;
    if (follower !== undefined) await new Promise<boolean>((resolve) => follower.refresh(resolve));
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
    const { dataDir, log } = this.#environment;
    this.#cancelWrite?.();
    this.#cancelWrite = undefined;
    writeAccessFile(dataDir, this.#set, log);
  }
}
