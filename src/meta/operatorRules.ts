// The operators' rules in the role meta: a set of records that change together, under an epoch of their own, and the
// members that are told.

import { fail, type RegistryError } from "../base/errors.ts";
import type { Heartbeat, Member, MetaToMember } from "../cluster/messages/membership.ts";
import type { Rule, RuleEdit } from "../model/rule.ts";
import type { RuleSet } from "../model/ruleSet.ts";
import { NO_VERSION } from "../model/version.ts";
import type { WholeRange } from "../records/readAll.ts";
import type { Commit, Operation, StoredRecord } from "../records/records.ts";
import { decodeRecord, encodeRecord, keyOf, recordsOf } from "./metaRecords.ts";
import type { AnyRecordSet, EndedSave, LeadTerm, Refused } from "./recordSet.ts";
import { RuleKeeper, type RuleSave, type StoredRules } from "./ruleKeeper.ts";
import { RULE_RECORDS, RULES_EPOCH_RECORD } from "./ruleRecords.ts";

/** The effects, and the surroundings that they depend on. */
export interface RulesOutput {
  send(to: Member, message: MetaToMember): void;
  answer(request: number, error: RegistryError): void;
  /** All members, with their last heartbeats. */
  members(): Iterable<readonly [Member, Heartbeat]>;
  /** Whether the node leads, and knows what the store has. */
  isInCharge(): boolean;
  /** The store may have been read before it had a change that it has. */
  readAgain(nowMs: number): void;
}

export class OperatorRules implements AnyRecordSet {
  readonly #keeper = new RuleKeeper();
  readonly #output: RulesOutput;
  /** The revision of the epoch's record, as loaded or saved; 0: there is none. */
  #revision = 0n;

  constructor(output: RulesOutput) {
    this.#output = output;
  }

  /** Those that are published. */
  get rules(): RuleSet {
    return this.#keeper.rules;
  }

  load({ records, revision: readAt }: WholeRange, nowMs: number): void {
    const [stored] = recordsOf(RULES_EPOCH_RECORD, records);
    // A save may have been answered after the store was read, and before this.
    if (this.#revision > readAt) return this.#output.readAgain(nowMs);
    this.#revision = stored?.revision ?? 0n;
    this.#keeper.load(rulesIn(records), nowMs);
  }

  /** A member's heartbeat. Returns true if it has later rules than this node knows: the store must be read. */
  heard({ rulesEpoch }: Heartbeat): boolean {
    return rulesEpoch !== undefined && this.#keeper.heard(rulesEpoch);
  }

  /** Takes a change, which then waits for its turn, or answers why it can't be made. */
  edit(request: number, edit: RuleEdit, nowMs: number): void {
    const refusal = this.#output.isInCharge() ? this.#keeper.edit(request, edit, nowMs) : stillReading();
    if (refusal !== undefined) this.#output.answer(request, refusal);
  }

  refuseNext(): readonly Refused[] {
    return this.#keeper.refuseNext();
  }

  begin({ term, leaseEpoch }: LeadTerm, nowMs: number): Commit | undefined {
    const save = this.#keeper.begin(term, nowMs);
    if (save === undefined) return undefined;
    return {
      conditions: [
        { kind: "leads", epoch: leaseEpoch },
        { kind: "revision", key: RULES_EPOCH_RECORD.prefix, revision: this.#revision },
      ],
      operations: operationsOf(save),
    };
  }

  ended(): EndedSave | undefined {
    const ended = this.#keeper.ended();
    if (ended === undefined) return undefined;
    const { request, term, save } = ended;
    return { request, term, saved: (revision, nowMs) => this.#saved(save, revision, nowMs) };
  }

  clear(): readonly number[] {
    return this.#keeper.clear();
  }

  /** Tells a member all rules, if it has others. Members of earlier releases know none. */
  tell(to: Member, { rulesEpoch }: Heartbeat, nowMs: number): void {
    const message = rulesEpoch === undefined ? undefined : this.#keeper.toTell(to, rulesEpoch, nowMs);
    if (message !== undefined) this.#output.send(to, message);
  }

  /** A link of the member was made or lost, or it is gone: what it was told may not have arrived. */
  forget(member: Member): void {
    this.#keeper.forget(member);
  }

  /** The time at which a rule ends. */
  nextMs(): number {
    return this.#keeper.nextMs();
  }

  #saved(save: RuleSave, revision: bigint, nowMs: number): void {
    this.#revision = revision;
    if (!this.#output.isInCharge()) return this.#output.readAgain(nowMs);
    const change = this.#keeper.saved(save, nowMs);
    for (const [member, { rulesEpoch }] of this.#output.members()) {
      if (rulesEpoch === undefined) continue;
      const message = this.#keeper.changeToTell(member, change, rulesEpoch, nowMs);
      if (message !== undefined) this.#output.send(member, message);
    }
  }
}

/** The answer to an operator while the node can't tell what the store has. */
export function stillReading(): RegistryError {
  const reason = "this meta node has just become the leader and is still reading the store";
  return fail("STORE_UNAVAILABLE", { reason });
}

/** The rules among the records of the role meta. Throws STORE_DAMAGED. */
export function rulesIn(records: readonly StoredRecord[]): StoredRules {
  const [stored] = recordsOf(RULES_EPOCH_RECORD, records);
  const epoch = stored === undefined ? NO_VERSION : decodeRecord(RULES_EPOCH_RECORD, stored);
  return { epoch, rules: recordsOf(RULE_RECORDS, records).map((record) => decodeRecord(RULE_RECORDS, record)) };
}

function operationsOf({ epoch, put, removed }: RuleSave): Operation[] {
  const kept = new Set(put.map(({ id }) => id));
  const gone = new Set(removed.filter((id) => !kept.has(id)));
  return [
    { kind: "put", key: RULES_EPOCH_RECORD.prefix, value: encodeRecord(RULES_EPOCH_RECORD, epoch) },
    ...put.map(
      (rule): Operation => ({ kind: "put", key: keyOf(RULE_RECORDS, rule), value: encodeRecord(RULE_RECORDS, rule) }),
    ),
    ...[...gone].map((id): Operation => ({ kind: "delete", key: keyOf(RULE_RECORDS, { id } as Rule) })),
  ];
}
