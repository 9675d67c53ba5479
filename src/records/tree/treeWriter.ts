// Makes the commits of one node. One is under way at a time; whatever is wanted meanwhile goes into the next one,
// which is decided on the states that the one before has made, without waiting for the copy to show them. So the time
// for a commit bounds the time of an answer, and not the number of transactions.
//
// - A refused commit means that another node was faster: the copy catches up, and everything is decided again.
// - A commit whose outcome is unknown is tried again as it is. It is made once at most, since the first one that is
//   made changes what the others demand; and its number in the tree's history says whether one of them was made. If
//   that part of the history is gone, since the tree was read anew, the outcome stays unknown.

import { RegistryError } from "../../base/errors.ts";
import { keyAlone } from "../keys.ts";
import type { Commit, CommitOutcome, Records } from "../records.ts";
import { Draft, type Made } from "./draft.ts";
import { type Decision, evaluate, type Surroundings } from "./evaluate.ts";
import type { Transaction, TransactionOutcome } from "./transactions.ts";
import type { Tree, TreeView } from "./tree.ts";
import { type CommitTxns, TXNS_KEY } from "./treeRecords.ts";
import { resolvedStat, zxidAt } from "./znode.ts";

/** The outcome of a transaction; lost: it is unknown, and stays so. */
export type Written = TransactionOutcome | { readonly kind: "lost" };

/** A transaction that any other commit refuses is given up when it was refused so often: those behind it wait. */
const OVERTAKEN_MAX = 50;
/** The time before a store that failed is asked again. */
const RETRY_MS = 500;

export interface TreeWriterParts {
  readonly tree: Tree;
  readonly records: Pick<Records, "commit" | "range">;
  /** Unique to this run of this node. */
  readonly maker: string;
  readonly surroundings: () => Surroundings;
  /** Runs soon, after what else waits now: more transactions may come meanwhile. */
  readonly later: (run: () => void) => void;
  /** Runs after so many milliseconds. */
  readonly after: (delayMs: number, run: () => void) => void;
  /** A bug of ours: the node can't go on. */
  readonly failed: (error: unknown) => void;
}

type Outcome = CommitOutcome | "tooLarge" | "lost";

interface Asked {
  readonly txn: Transaction;
  readonly done: (written: Written) => void;
}

interface Decided extends Asked {
  readonly decision: Decision;
  readonly place: number;
}

/** Answers that wait until the tree has come to a revision. */
interface Awaited {
  readonly revision: bigint;
  readonly run: () => void;
}

export class TreeWriter {
  readonly #parts: TreeWriterParts;
  #queue: Asked[] = [];
  #isRunning = false;
  #number = 0;
  /** The revision of the commit under way, if the tree has shown it. */
  #shown: bigint | undefined;
  /** The states that were made and are not in the tree yet, oldest first. */
  #made: Made[] = [];
  #awaited: Awaited[] = [];
  /** How often the large transaction at the head of the queue was refused. */
  #overtaken = 0;
  /** How often the tree was read. */
  #loads = 0;
  #isClosed = false;

  constructor(parts: TreeWriterParts) {
    this.#parts = parts;
  }

  /** The number of transactions that wait. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** Wants a transaction. Those of one caller happen in the order in which it wanted them, and are answered so. */
  submit(txn: Transaction, done: (written: Written) => void): void {
    if (this.#isClosed) return done({ kind: "lost" });
    this.#queue.push({ txn, done });
    this.#start();
  }

  /** Resolves when the tree has everything that was there when this was called. Rejects with a RegistryError. */
  async sync(): Promise<void> {
    const page = await this.#parts.records.range({ ...keyAlone(TXNS_KEY), limit: 1 });
    const newest = page.kind === "page" ? (page.records[0]?.revision ?? 0n) : 0n;
    await new Promise<void>((resolve) => this.#whenReached(newest, resolve));
  }

  /** The tree has applied a commit. Call it from the tree's listener. */
  committed({ maker, number }: CommitTxns, revision: bigint): void {
    if (maker === this.#parts.maker && number === this.#number) this.#shown = revision;
    this.#dropMade();
  }

  /** Answers what waited for the commits that were applied. Call it when they have been told to watches. */
  reached(): void {
    const { revision } = this.#parts.tree;
    while (this.#awaited[0] !== undefined && this.#awaited[0].revision <= revision) this.#awaited.shift()?.run();
  }

  /** The tree was read anew: what is under way can't be told any more. */
  reloaded(): void {
    this.#loads++;
    this.#made = [];
    this.reached();
  }

  /** Answers everything that waits as lost, and makes no more commits. */
  close(): void {
    this.#isClosed = true;
    const queue = this.#queue;
    this.#queue = [];
    for (const { done } of queue) done({ kind: "lost" });
  }

  #start(): void {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#parts.later(() => {
      this.#run().catch((error: unknown) => this.#parts.failed(error));
    });
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) await this.#commitNext();
    this.#isRunning = false;
  }

  /** Makes one commit of what waits, or finds that it has to be decided again. */
  async #commitNext(): Promise<void> {
    const base = this.#base();
    const draft = new Draft(base);
    const decided = this.#decide(draft);
    this.#number++;
    this.#shown = undefined;
    const commit = draft.commit({ maker: this.#parts.maker, number: this.#number });
    const made = decided.length === 0 ? undefined : await this.#make(commit);
    if (made === undefined) return;
    const outcome = this.#isOvertaken(made, draft) ? "lost" : made;
    if (outcome === "lost" || outcome === "tooLarge" || this.#isClosed) {
      this.#queue.splice(0, decided.length);
      for (const { done } of decided) done(outcome === "tooLarge" ? TOO_LARGE : { kind: "lost" });
      return;
    }
    if (outcome.kind === "refused") return this.#catchUp();
    this.#queue.splice(0, decided.length);
    const { revision } = outcome;
    if (draft.changesSomething) {
      const made = draft.made(revision);
      // The states below it may be in the tree by now, which may have more.
      made.rebase(this.#base());
      if (this.#parts.tree.revision < revision) this.#made.push(made);
    }
    const reach = draft.changesSomething ? revision : (this.#made.at(-1)?.revision ?? 0n);
    this.#whenReached(reach, () => {
      for (const each of decided) each.done(writtenOf(each, revision, this.#parts.tree.lastZxid));
    });
  }

  #isOvertaken(outcome: Outcome, { isLarge }: Draft): boolean {
    const isRefused = typeof outcome === "object" && outcome.kind === "refused";
    const count = isRefused && isLarge ? this.#overtaken + 1 : 0;
    const isGivenUp = count > OVERTAKEN_MAX;
    this.#overtaken = isGivenUp ? 0 : count;
    return isGivenUp;
  }

  #base(): TreeView {
    this.#dropMade();
    return this.#made.at(-1) ?? this.#parts.tree;
  }

  #decide(draft: Draft): Decided[] {
    const surroundings = this.#parts.surroundings();
    const decided: Decided[] = [];
    for (const asked of this.#queue) {
      const place = draft.zxid;
      let decision = evaluate(draft, asked.txn, surroundings);
      if (decision.kind === "refused") draft.undo();
      const fit = draft.end();
      if (fit === "full") break;
      if (fit === "tooLarge") decision = { kind: "refused", fault: "tooLarge", at: 0 };
      decided.push({ ...asked, decision, place: draft.zxid > place ? place : -1 });
      if (fit === "tooLarge") break;
    }
    return decided;
  }

  /** The certain outcome, if there is one. */
  async #make(commit: Commit): Promise<Outcome> {
    const { records, tree } = this.#parts;
    if (commit.conditions.length === 0) return { kind: "committed", revision: tree.revision };
    let isUnsure = false;
    const loads = this.#loads;
    while (!this.#isClosed) {
      try {
        const outcome = await records.commit(commit);
        if (outcome.kind === "committed" || !isUnsure) return outcome;
        // An earlier try may have been the one that was made.
        await this.sync();
        if (this.#shown !== undefined) return { kind: "committed", revision: this.#shown };
        return this.#loads === loads ? outcome : "lost";
      } catch (error) {
        if (!(error instanceof RegistryError)) throw error;
        if (!error.retry) return error.code === "RECORD_TOO_LARGE" ? "tooLarge" : "lost";
        isUnsure = true;
        await this.#pause();
      }
    }
    return "lost";
  }

  async #catchUp(): Promise<void> {
    try {
      await this.sync();
    } catch (error) {
      if (!(error instanceof RegistryError)) throw error;
      await this.#pause();
    }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => this.#parts.after(RETRY_MS, resolve));
  }

  #whenReached(revision: bigint, run: () => void): void {
    if (this.#parts.tree.revision >= revision) return run();
    let at = this.#awaited.length;
    while (at > 0 && (this.#awaited[at - 1]?.revision ?? 0n) > revision) at--;
    this.#awaited.splice(at, 0, { revision, run });
  }

  /** States that the tree has are read there. */
  #dropMade(): void {
    const { tree } = this.#parts;
    const left = this.#made.filter(({ revision }) => revision > tree.revision);
    if (left.length === this.#made.length) return;
    this.#made = left;
    left[0]?.rebase(tree);
  }
}

const TOO_LARGE: Written = { kind: "refused", fault: "tooLarge", at: 0 };

function writtenOf({ decision, place }: Decided, revision: bigint, lastZxid: number): Written {
  if (decision.kind === "refused") return decision;
  const zxid = place < 0 ? lastZxid : zxidAt(revision, place);
  const results = decision.results.map(({ path, stat }) => ({
    path,
    stat: stat && resolvedStat(stat, revision),
  }));
  return { kind: "done", results, zxid, isWhole: decision.isWhole };
}
