// Keeps a tree with the store: reads it whole, and follows the history of changes. While the store is away the tree
// stays as it is. When the history that is missing is gone, the tree is read anew.

import { RegistryError } from "../../base/errors.ts";
import type { Cancel } from "../../base/ports.ts";
import { readAll } from "../readAll.ts";
import type { Records } from "../records.ts";
import type { Tree } from "./tree.ts";
import { TREE_RANGE } from "./treeRecords.ts";

const RETRY_MS = 1_000;

export interface TreeFollowerParts {
  readonly tree: Tree;
  readonly records: Pick<Records, "range" | "watch">;
  /** The most records that are read. */
  readonly recordsMax: number;
  readonly after: (delayMs: number, run: () => void) => void;
  /** Changes are in the tree. */
  readonly applied: () => void;
  /** The tree was read whole: for the first time, or anew, with changes that were never told. */
  readonly loaded: (isFirst: boolean) => void;
  /** The store can't be read, or has what this program does not write. */
  readonly notRead: (error: RegistryError) => void;
  /** A bug of ours: the node can't go on. */
  readonly failed: (error: unknown) => void;
}

export class TreeFollower {
  readonly #parts: TreeFollowerParts;
  #cancel: Cancel = () => undefined;
  #isLoaded = false;
  #isClosed = false;

  constructor(parts: TreeFollowerParts) {
    this.#parts = parts;
  }

  /** Whether the tree has been read. */
  get isLoaded(): boolean {
    return this.#isLoaded;
  }

  start(): void {
    if (this.#isClosed) return;
    this.#load().catch((error: unknown) => this.#parts.failed(error));
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel();
  }

  async #load(): Promise<void> {
    const { tree, records, recordsMax, after, loaded, notRead } = this.#parts;
    try {
      const whole = await readAll(records, TREE_RANGE, recordsMax);
      if (this.#isClosed) return;
      tree.load(whole.records);
      const isFirst = !this.#isLoaded;
      this.#isLoaded = true;
      this.#follow(whole.revision);
      loaded(isFirst);
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      notRead(error);
      after(RETRY_MS, () => this.start());
    }
  }

  /** The watch goes on, and would leave out what the tree does not have: the tree is read anew. */
  #notApplied(error: RegistryError): void {
    this.#cancel();
    this.#parts.notRead(error);
    this.#parts.after(RETRY_MS, () => this.start());
  }

  #follow(revision: bigint): void {
    const { tree, records, applied } = this.#parts;
    this.#cancel = records.watch(TREE_RANGE, revision, {
      changed: (changes) => {
        try {
          tree.apply(changes);
        } catch (error) {
          if (!(error instanceof RegistryError)) throw error;
          return this.#notApplied(error);
        }
        applied();
      },
      compacted: () => this.start(),
    });
  }
}
