// Identities and policies in a simulated process, as the server's parts have them: from the store at a meta node, from
// the meta nodes at others, with a copy on the disk; and the checks of clients and operators by them.

import type { AccessEdit } from "../../access/accessEdit.ts";
import { TELL_ACCESS } from "../../access/accessFollower.ts";
import { principalOf } from "../../access/accessSet.ts";
import { readTold, writeTold } from "../../access/accessTold.ts";
import { anonymous, type Principal } from "../../access/principal.ts";
import { identityOfToken } from "../../access/proofs.ts";
import { fail, RegistryError } from "../../base/errors.ts";
import type { AccessStore } from "../../meta/accessKeeper.ts";
import { ACCESS_EPOCH_RECORD, ACCESS_PREFIX, accessIn } from "../../meta/accessRecords.ts";
import { KnownAccess } from "../../meta/knownAccess.ts";
import type { NodeId } from "../../model/ids.ts";
import type { ClientAccess, ClientCredentials } from "../../protocols/kit/clientAccess.ts";
import { ClientChecks } from "../../protocols/kit/clientChecks.ts";
import { keysWith } from "../../records/keys.ts";
import type { CommitOutcome } from "../../records/records.ts";
import type { Witness } from "../../records/witness.ts";
import { bug, bugLog, type MemberEnvironment } from "./environment.ts";
import type { SimProcess } from "./simProcess.ts";
import { simSecrets } from "./simSecrets.ts";
import { recordsUnder, type Statement, type Store } from "./store.ts";

export interface AccessHostEnvironment extends MemberEnvironment {
  readonly store: Store;
}

/** The meta role of the process, which shares its store. */
export interface MetaOfProcess {
  readonly witness: Witness;
  readonly leader: NodeId | undefined;
}

export class AccessHost {
  /** Judges clients. */
  readonly checks: ClientAccess;
  readonly #environment: AccessHostEnvironment;
  readonly #process: SimProcess;
  readonly #known: KnownAccess;
  #isKilled = false;

  constructor(environment: AccessHostEnvironment, process: SimProcess, meta: MetaOfProcess | undefined) {
    this.#environment = environment;
    this.#process = process;
    const { links } = environment;
    const { disk, time } = process;
    this.#known = new KnownAccess({
      ...time,
      store: meta && this.#store(meta.witness),
      ask: (...question) => links.operations.ask(...question),
      metaNodes: () => links.metaNodes,
      readCopy: () => readTold(disk.access),
      writeCopy: (set) => {
        if (this.#isKilled) return;
        disk.access = writeTold({ epoch: set.epoch, change: set.asChange() });
      },
      log: bugLog(environment, process.id),
    });
    if (meta !== undefined) this.#answerFor(meta);
    const { clock } = time;
    const set = () => this.#known.set;
    const secrets = simSecrets();
    const prove = (credentials: ClientCredentials, { from }: { readonly from: string }): Principal => {
      if (credentials.kind !== "token") return anonymous(from);
      const identity = identityOfToken(set(), credentials.token, secrets, clock.nowMs());
      if (identity === undefined) throw fail("CREDENTIALS_REFUSED", { kind: "token", from });
      return principalOf(identity, from);
    };
    const issue = () => Promise.reject(fail("STORE_UNAVAILABLE", {}));
    this.checks = new ClientChecks({ set, secrets, clock, authenticator: { prove }, tokens: { issue } });
  }

  begin(): void {
    this.#known.begin(() => undefined);
  }

  /** Makes a change at a meta node; the operator has the answer, unless the process ends before. */
  change(edit: AccessEdit, change: number): void {
    const { record } = this.#environment;
    const { id: node, time } = this.#process;
    record({ kind: "accessAsked", node, change, edit });
    this.#known.change(edit, { setBy: "operator", nowMs: time.clock.nowMs() }, (error) =>
      record({ kind: "accessChanged", change, error: error?.code }),
    );
  }

  /** The process ends; one that is killed writes nothing more. */
  close(isOrderly: boolean): void {
    this.#isKilled = !isOrderly;
    this.#known.close();
  }

  #answerFor(meta: MetaOfProcess): void {
    this.#environment.links.operations.attach({
      leader: () => meta.leader,
      answer: ({ operation, parameters }, reply) => {
        if (operation === TELL_ACCESS) reply(200, this.#known.tell(parameters));
        else bug(this.#environment, this.#process.id, `the question ${operation}`);
      },
    });
  }

  #store(witness: Witness): AccessStore {
    const { store, record } = this.#environment;
    const ask = <Answer>(
      statement: Statement<Answer | RegistryError>,
      answered: (answer: Answer | RegistryError) => void,
    ) => {
      const seen = witness.revision;
      const guarded: Statement<Answer | RegistryError> = (state, nowMs) => {
        const { revision } = state.table;
        if (revision < seen) return { answer: witness.refusal(revision) };
        const done = statement(state, nowMs);
        witness.note((done.state ?? state).table.revision);
        return done;
      };
      store.ask(this.#process, guarded, (answer) => {
        answered(answer ?? fail("STORE_UNAVAILABLE", { reason: "the store did not answer" }));
      });
    };
    return {
      readEpoch: (answered) =>
        ask(({ table }) => {
          const [epoch] = recordsUnder(table, keysWith(ACCESS_EPOCH_RECORD.prefix));
          return { answer: epoch?.revision ?? 0n };
        }, answered),
      readAll: (answered) => ask(({ table }) => ({ answer: recordsUnder(table, keysWith(ACCESS_PREFIX)) }), answered),
      commit: (commit, answered) =>
        ask((state) => {
          const table = state.table.copy();
          const answer = outcomeOf(() => table.commit(commit, () => false));
          if (answer instanceof RegistryError || answer.kind !== "committed") return { answer };
          const stored = accessIn(recordsUnder(table, keysWith(ACCESS_PREFIX)));
          record({ kind: "accessSaved", node: this.#process.id, stored });
          return { answer, state: { ...state, table } };
        }, answered),
    };
  }
}

function outcomeOf(commit: () => CommitOutcome): CommitOutcome | RegistryError {
  try {
    return commit();
  } catch (error) {
    if (error instanceof RegistryError) return error;
    throw error;
  }
}
