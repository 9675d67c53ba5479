// Identities and policies at a node of the server: on its store, its links and its disk.

import type { AccessEdit, EditContext } from "../../access/accessEdit.ts";
import type { AccessSet } from "../../access/accessSet.ts";
import type { Clock, Log, Timers } from "../../base/ports.ts";
import type { OperationCalls } from "../../cluster/links/operationCalls.ts";
import { KnownAccess } from "../../meta/knownAccess.ts";
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

export class NodeAccess {
  readonly #known: KnownAccess;

  constructor(environment: AccessEnvironment) {
    const { dataDir, store, operations, log, failed } = environment;
    this.#known = new KnownAccess({
      ...environment,
      store: store && accessStoreOf(store, failed),
      ask: (...question) => operations.ask(...question),
      readCopy: () => readAccessFile(dataDir, log),
      writeCopy: (set) => writeAccessFile(dataDir, set, log),
    });
  }

  /** The newest that is known. */
  get set(): AccessSet {
    return this.#known.set;
  }

  /** Whether the store, or a meta node, has told what there is since the process was started. */
  get isUpToDate(): boolean {
    return this.#known.isUpToDate;
  }

  /** Resolves when the store was read, or failed; for a node without the store at once. */
  begin(): Promise<void> {
    return new Promise((resolve) => this.#known.begin(resolve));
  }

  /** The changes that another node lacks, by its epoch, as JSON. Throws ROLE_NEEDED at a node without the store. */
  tell(epoch: string): string {
    return this.#known.tell(epoch);
  }

  /** Makes a change; it is in force here when the promise resolves. Rejects with a RegistryError. */
  change(edit: AccessEdit, context: EditContext): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#known.change(edit, context, (error) => (error === undefined ? resolve() : reject(error)));
    });
  }

  /** Asks the meta nodes for changes now, so that the operator who made one finds it here. */
  refresh(): Promise<void> {
    return new Promise((resolve) => this.#known.refresh(resolve));
  }

  /** May be called twice. */
  close(): void {
    this.#known.close();
  }
}
