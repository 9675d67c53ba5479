// Group commit: while one transaction is written, the commits that arrive wait, and are then written as the next one. A
// store that makes a thousand transactions a second, each as slow as its disk, makes tens of thousands of commits so.
// Each keeps its own conditions and its own outcome.

import { fail, RegistryError } from "../base/errors.ts";
import { checkCommit, commitBytes } from "../records/bounds.ts";
import type { Commit, CommitOutcome } from "../records/records.ts";

/** One transaction has no more commits, so that it stays well within a statement's time. */
export const GROUP_COMMITS_MAX = 100;

/** Nor more bytes of values, unless a single commit has more. */
export const GROUP_BYTES_MAX = 4 * 1024 * 1024;

/** Nor more operations: PostgreSQL takes 65,535 parameters of a statement, and each put is one. */
export const GROUP_OPERATIONS_MAX = 10_000;

/** More waiting commits mean that the database does not keep up; they are refused. */
const WAITING_MAX = 10_000;
const WAITING_BYTES_MAX = 512 * 1024 * 1024;

/** An outcome of one commit of a group; an error is that commit's own. */
export type GroupOutcome = CommitOutcome | RegistryError;

/**
 * Writes all commits as one transaction, in order, and returns their outcomes; rejects if none of them counts as made.
 */
export type WriteGroup = (commits: readonly Commit[]) => Promise<readonly GroupOutcome[]>;

interface Waiting {
  readonly commit: Commit;
  readonly bytes: number;
  resolve(outcome: CommitOutcome): void;
  reject(error: unknown): void;
}

export class GroupCommit {
  readonly #write: WriteGroup;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #isWriting = false;

  constructor(write: WriteGroup) {
    this.#write = write;
  }

  /** See `Records.commit`. The caller may change its buffers once this has returned its promise. */
  commit(commit: Commit): Promise<CommitOutcome> {
    try {
      checkCommit(commit);
      return this.#add(commit);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #add(commit: Commit): Promise<CommitOutcome> {
    const bytes = commitBytes(commit);
    if (this.#waiting.length >= WAITING_MAX || this.#waitingBytes + bytes > WAITING_BYTES_MAX) {
      const sizes = { waiting: this.#waiting.length, bytes: this.#waitingBytes };
      throw fail("STORE_UNAVAILABLE", { reason: "too many commits wait for the database", ...sizes });
    }
    const { promise, resolve, reject } = Promise.withResolvers<CommitOutcome>();
    this.#waiting.push({ commit: copyOf(commit), bytes, resolve, reject });
    this.#waitingBytes += bytes;
    if (!this.#isWriting) void this.#writeAll();
    return promise;
  }

  async #writeAll(): Promise<void> {
    this.#isWriting = true;
    // Commits of the same turn belong together.
    await nextTurn();
    while (this.#waiting.length > 0) {
      const group = this.#takeGroup();
      try {
        const outcomes = await this.#write(group.map(({ commit }) => commit));
        for (const [at, each] of group.entries()) settle(each, outcomes[at] as GroupOutcome);
      } catch (error) {
        // Those that wait have waited as long as the database took to fail; they are not made to wait for it again.
        for (const each of [...group, ...this.#waiting]) each.reject(error);
        this.#waiting = [];
        this.#waitingBytes = 0;
      }
    }
    this.#isWriting = false;
  }

  #takeGroup(): readonly Waiting[] {
    let count = 0;
    let bytes = 0;
    let operations = 0;
    for (const each of this.#waiting) {
      bytes += each.bytes;
      operations += each.commit.operations.length;
      const isTooMuch = bytes > GROUP_BYTES_MAX || operations > GROUP_OPERATIONS_MAX;
      if (count === GROUP_COMMITS_MAX || (count > 0 && isTooMuch)) {
        bytes -= each.bytes;
        break;
      }
      count++;
    }
    this.#waitingBytes -= bytes;
    return this.#waiting.splice(0, count);
  }
}

function settle({ resolve, reject }: Waiting, outcome: GroupOutcome): void {
  if (outcome instanceof RegistryError) reject(outcome);
  else resolve(outcome);
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function copyOf({ conditions, operations }: Commit): Commit {
  const copies = operations.map((operation) =>
    operation.kind === "put" ? { ...operation, value: operation.value.slice() } : operation,
  );
  return { conditions, operations: copies };
}
