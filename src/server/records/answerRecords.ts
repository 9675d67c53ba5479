// A node with the store answers the others' questions about the gateways' records.

import { fail, RegistryError } from "../../base/errors.ts";
import type { ChangesPage, Commit, Compacted } from "../../records/records.ts";
import { CHANGES_WAIT_MS } from "./followedRecords.ts";
import type { RecordsSource } from "./recordsSource.ts";
import {
  readCommits,
  readQuestion,
  readRange,
  type TellableOutcome,
  writeChanges,
  writeOutcomes,
  writeRangePage,
} from "./recordsWords.ts";

/** The names under which nodes ask for records. No operation of operators has one, so no HTTP path leads here. */
export const RANGE_RECORDS = "records/range";
export const COMMIT_RECORDS = "records/commit";
export const CHANGES_OF_RECORDS = "records/changes";

/** The most commits of one question. */
export const COMMITS_ASKED_MAX = 1_000;

export class RecordsAnswers {
  readonly #source: RecordsSource | undefined;
  /** Pages that several nodes wait for are written once. */
  readonly #written = new WeakMap<ChangesPage | Compacted, string>();

  /** Undefined for a node without the store. */
  constructor(source: RecordsSource | undefined) {
    this.#source = source;
  }

  /** The answer, as JSON; undefined for a question about something else. Rejects with a RegistryError. */
  answer(operation: string, parameters: string): Promise<string> | undefined {
    if (operation === RANGE_RECORDS) return this.#range(parameters);
    if (operation === COMMIT_RECORDS) return this.#commit(parameters);
    if (operation === CHANGES_OF_RECORDS) return this.#changes(parameters);
    return undefined;
  }

  async #range(parameters: string): Promise<string> {
    return writeRangePage(await this.#stored().range(readRange(parameters)));
  }

  async #changes(parameters: string): Promise<string> {
    const question = readQuestion(parameters);
    const waitMs = Math.max(0, Math.min(question.waitMs, CHANGES_WAIT_MS));
    const page = await this.#stored().changes({ ...question, waitMs });
    const written = this.#written.get(page) ?? writeChanges(page);
    this.#written.set(page, written);
    return written;
  }

  async #commit(parameters: string): Promise<string> {
    const source = this.#stored();
    const commits = readCommits(parameters);
    if (commits.length > COMMITS_ASKED_MAX) {
      throw fail("RECORD_TOO_LARGE", { commits: commits.length, commitsMax: COMMITS_ASKED_MAX });
    }
    // All at once: the store writes them as a few transactions, in this order.
    return writeOutcomes(commits, await Promise.all(commits.map((commit) => outcomeOf(source, commit))));
  }

  #stored(): RecordsSource {
    if (this.#source === undefined) throw fail("ROLE_NEEDED", { role: "meta" });
    return this.#source;
  }
}

async function outcomeOf(source: RecordsSource, commit: Commit): Promise<TellableOutcome> {
  try {
    return await source.commit(commit);
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    const { code, message, retry } = error;
    return { kind: "failed", error: { code, message, retry } };
  }
}
