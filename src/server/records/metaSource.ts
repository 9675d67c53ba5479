// The gateways' records at a node without the store: it asks a meta node, and another one when that one does not
// answer. It stays with the one that answers, so that its commits are made in order and its reads see them.

import { fail } from "../../base/errors.ts";
import type { OperationCalls, OperationOutcome } from "../../cluster/links/operationCalls.ts";
import type { NodeId } from "../../model/ids.ts";
import { checkGatewayCommit, checkGatewayRange } from "../../records/gatewayRecords.ts";
import type { ChangesPage, Commit, CommitOutcome, Compacted, RangePage, RangeQuery } from "../../records/records.ts";
import { GroupCommit, type GroupOutcome } from "../../store/groupCommit.ts";
import { errorIn } from "../gatewayQuestions.ts";
import { CHANGES_OF_RECORDS, COMMIT_RECORDS, RANGE_RECORDS } from "./answerRecords.ts";
import type { ChangesQuestion, RecordsSource } from "./recordsSource.ts";
import { readChanges, readOutcomes, readRangePage, writeCommits, writeQuestion, writeRange } from "./recordsWords.ts";

export interface MetaSourceEnvironment {
  readonly self: NodeId;
  readonly ask: OperationCalls["ask"];
  /** The meta nodes that this node has a link to. */
  readonly metaNodes: () => readonly NodeId[];
}

// A store gives up a statement after some seconds, and says so.
const ANSWER_MS_MAX = 8_000;

interface Question {
  readonly operation: string;
  readonly parameters: string;
  readonly waitMs: number;
}

export class MetaSource implements RecordsSource {
  readonly #environment: MetaSourceEnvironment;
  /** One question is under way at a time; the commits that come meanwhile are the next one. */
  readonly #group = new GroupCommit((commits) => this.#commitAll(commits));
  #meta: NodeId | undefined;
  #isClosed = false;

  constructor(environment: MetaSourceEnvironment) {
    this.#environment = environment;
  }

  async range(query: RangeQuery): Promise<RangePage | Compacted> {
    checkGatewayRange(query);
    const question = { operation: RANGE_RECORDS, parameters: writeRange(query), waitMs: ANSWER_MS_MAX };
    return readRangePage(await this.#askAny(question));
  }

  async changes(asked: ChangesQuestion): Promise<ChangesPage | Compacted> {
    checkGatewayRange(asked.range);
    const waitMs = asked.waitMs + ANSWER_MS_MAX;
    const question = { operation: CHANGES_OF_RECORDS, parameters: writeQuestion(asked), waitMs };
    return readChanges(await this.#askAny(question));
  }

  async commit(commit: Commit): Promise<CommitOutcome> {
    checkGatewayCommit(commit);
    return this.#group.commit(commit);
  }

  readonly close = (): void => {
    this.#isClosed = true;
  };

  async #commitAll(commits: readonly Commit[]): Promise<readonly GroupOutcome[]> {
    const meta = this.#chosen();
    const question = { operation: COMMIT_RECORDS, parameters: writeCommits(commits), waitMs: ANSWER_MS_MAX };
    const answer = await this.#ask(meta, question);
    if (answer.kind === "unreachable") {
      this.#leave(meta);
      throw fail("STORE_OUTCOME_UNKNOWN", { reason: answer.reason, node: meta });
    }
    if (answer.status !== 200) {
      this.#leave(meta);
      throw errorIn(JSON.parse(answer.body));
    }
    return readOutcomes(commits, answer.body).map((outcome) => {
      if (outcome.kind !== "failed") return outcome;
      if (outcome.error.retry) this.#leave(meta);
      return errorIn({ error: outcome.error });
    });
  }

  /** Asks one meta node after the other, each once. Rejects with the last refusal. */
  async #askAny(question: Question): Promise<string> {
    const tried = new Set<NodeId>();
    for (;;) {
      const meta = this.#chosen();
      const answer = await this.#ask(meta, question);
      if (answer.kind === "answered" && answer.status === 200) return answer.body;
      this.#leave(meta);
      const error =
        answer.kind === "answered"
          ? errorIn(JSON.parse(answer.body))
          : fail("STORE_UNAVAILABLE", { reason: answer.reason, node: meta });
      const isLast = tried.has(meta) || tried.size + 1 >= this.#environment.metaNodes().length;
      if (isLast || !error.retry) throw error;
      tried.add(meta);
    }
  }

  #ask(meta: NodeId, { waitMs, ...asked }: Question): Promise<OperationOutcome> {
    return new Promise((resolve) => this.#environment.ask(meta, { asked, waitMs }, resolve));
  }

  /** Throws STORE_UNAVAILABLE if there is no link to a meta node. */
  #chosen(): NodeId {
    const { self, metaNodes } = this.#environment;
    const metas = [...metaNodes()].sort();
    if (this.#isClosed) throw fail("STORE_UNAVAILABLE", { reason: "this node stops" });
    if (this.#meta === undefined || !metas.includes(this.#meta)) this.#meta = metas[placeOf(self) % metas.length];
    if (this.#meta === undefined) throw fail("STORE_UNAVAILABLE", { reason: "no meta node can be reached" });
    return this.#meta;
  }

  /** The next question goes to the meta node after this one. */
  #leave(meta: NodeId): void {
    if (this.#meta !== meta) return;
    const metas = [...this.#environment.metaNodes()].sort();
    this.#meta = metas[(metas.indexOf(meta) + 1) % metas.length];
  }
}

/** Spreads nodes over the meta nodes. */
function placeOf(node: NodeId): number {
  let sum = 0;
  for (let at = 0; at < node.length; at++) sum = (sum * 31 + node.charCodeAt(at)) % 65_521;
  return sum;
}
