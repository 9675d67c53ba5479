// The gateways' records of a simulated process, on the store that all share: statements may be slow, fail, or be
// carried out without an answer. A commit of another process is found when a watch looks for changes, or is woken.

import { fail, RegistryError } from "../../base/errors.ts";
import type { GatewayRecords } from "../../records/gatewayRecords.ts";
import type { Commit, CommitOutcome } from "../../records/records.ts";
import type { RecordTable } from "../../records/recordTable.ts";
import { Watches } from "../../records/watches.ts";
import { Witness } from "../../records/witness.ts";
import type { NetworkProcess } from "../network/nodeWire.ts";
import type { Statement, Store } from "./store.ts";

/** Called when the store makes a commit, before the answer. */
type Made = (commit: Commit, revision: bigint) => void;

export class StoreRecords implements GatewayRecords {
  readonly #store: Store;
  readonly #process: NetworkProcess;
  readonly #witness = new Witness();
  readonly #watches: Watches;
  readonly #made: Made;
  readonly range: GatewayRecords["range"] = (query) => this.#read((table) => table.range(query));
  readonly changes: GatewayRecords["changes"] = (range, after) => this.#read((table) => table.changes(range, after));
  readonly watch: GatewayRecords["watch"] = (...watched) => this.#watches.add(...watched);

  constructor(store: Store, process: NetworkProcess, made: Made = () => undefined) {
    this.#made = made;
    this.#store = store;
    this.#process = process;
    this.#watches = new Watches(this.changes, process.time.timers);
  }

  /** The newest revision that this process has seen. */
  get seen(): bigint {
    return this.#witness.revision;
  }

  async commit(commit: Commit): Promise<CommitOutcome> {
    const seen = this.#witness.revision;
    const outcome = await this.#ask<CommitOutcome | RegistryError>((state) => {
      if (state.table.revision < seen) return { answer: this.#witness.refusal(state.table.revision) };
      const table = state.table.copy();
      const answer = table.commit(commit, () => false);
      if (answer.kind === "refused") return { answer };
      if (table.revision > state.table.revision) this.#made(commit, table.revision);
      return { answer, state: { ...state, table } };
    });
    if (outcome === undefined) throw fail("STORE_OUTCOME_UNKNOWN", { reason: "the store did not answer" });
    if (outcome instanceof RegistryError) throw outcome;
    if (outcome.kind === "committed") this.#witness.note(outcome.revision);
    this.wake();
    return outcome;
  }

  /** There may be something new. */
  wake(): void {
    this.#watches.wake();
  }

  close(): void {
    this.#watches.close();
  }

  async #read<Answer>(read: (table: RecordTable) => Answer): Promise<Answer> {
    const seen = this.#witness.revision;
    const answer = await this.#ask<{ readonly found: Answer; readonly revision: bigint } | RegistryError>((state) => {
      try {
        return { answer: { found: read(state.table), revision: state.table.revision } };
      } catch (error) {
        if (error instanceof RegistryError) return { answer: error };
        throw error;
      }
    });
    if (answer === undefined) throw fail("STORE_UNAVAILABLE", { reason: "the store did not answer" });
    if (answer instanceof RegistryError) throw answer;
    this.#witness.check(answer.revision, seen);
    return answer.found;
  }

  #ask<Answer>(statement: Statement<Answer>): Promise<Answer | undefined> {
    return new Promise((resolve) => this.#store.ask(this.#process, statement, resolve));
  }
}
