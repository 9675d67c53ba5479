// The operators' rules as the leading meta node keeps them: what the store has, the changes that wait for it, and what
// each member was told. A change is checked when it is its turn, against the rules that it finds then; it is published
// when the store has it. Rules whose time is over are removed like by an operator.

import { fail, RegistryError } from "../base/errors.ts";
import type { Member, RulesMessage } from "../cluster/messages/membership.ts";
import {
  checkedRule,
  RULES_BYTES_MAX,
  RULES_MAX,
  RULES_PER_CHANGE_MAX,
  type Rule,
  type RuleDraft,
  type RuleEdit,
  ruleBytes,
  WIDE_RULES_MAX,
} from "../model/rule.ts";
import { NO_RULES, type RuleChange, RuleSet } from "../model/ruleSet.ts";
import { NO_VERSION, VersionSource } from "../model/version.ts";
import { keyOf } from "./membership.ts";
import { SAVES_WAITING_MAX, SaveQueue } from "./saveQueue.ts";

/** The rules of the store, at one epoch. */
export interface StoredRules {
  /** Grows with every change; NO_VERSION before the first one. */
  readonly epoch: bigint;
  readonly rules: readonly Rule[];
}

/** A change on its way to the store. */
export interface RuleSave extends RuleChange {
  readonly epoch: bigint;
}

/** A save, and the term of the lead in which it was begun. */
interface SaveUnderWay {
  readonly save: RuleSave;
  readonly term: number;
}

interface Told {
  readonly epoch: bigint;
  readonly atMs: number;
}

/** In the place of an operator's request, for a change that the node makes by itself. */
const OWN_REQUEST = 0;

// Rules on their way to a member are not sent again within this. They may be megabytes.
const UNDER_WAY_MS = 3_000;

export class RuleKeeper {
  readonly #versions = new VersionSource(NO_VERSION);
  readonly #queue = new SaveQueue<RuleEdit, SaveUnderWay>();
  readonly #told = new Map<string, Told>();
  #rules = NO_RULES;
  #endMs = Number.POSITIVE_INFINITY;

  /** The rules that are published. */
  get rules(): RuleSet {
    return this.#rules;
  }

  /** Takes what the store has. A store that has lost commits, or a clock that was ahead, needs a later epoch. */
  load({ epoch, rules }: StoredRules, nowMs: number): void {
    for (const rule of rules) this.#versions.raise(rule.epoch);
    const isNewest = epoch >= this.#versions.last;
    this.#versions.raise(epoch);
    this.#publish(new RuleSet(isNewest ? epoch : this.#versions.next(nowMs, 0n), rules));
  }

  /** A member has rules of this epoch. Returns true if this node knows none so late: it must read the store. */
  heard(epoch: bigint): boolean {
    if (epoch <= this.#versions.last) return false;
    this.#versions.raise(epoch);
    return true;
  }

  /** Takes a change, which then waits for its turn, or returns the reason why it can't be made. */
  edit(request: number, edit: RuleEdit, nowMs: number): RegistryError | undefined {
    const rules = edit.put.length + edit.removed.length;
    if (rules > RULES_PER_CHANGE_MAX)
      return fail("RULES_EXHAUSTED", { rules, rulesPerChangeMax: RULES_PER_CHANGE_MAX });
    const put: RuleDraft[] = [];
    for (const draft of edit.put) {
      const checked = checkedRule(draft, nowMs);
      if (checked instanceof RegistryError) return checked;
      put.push(checked);
    }
    const waitingBytes = this.#queue.waiting.reduce((sum, one) => sum + bytesOf(one.put), 0);
    const bytes = waitingBytes + bytesOf(put);
    if (bytes > RULES_BYTES_MAX) return fail("RULES_EXHAUSTED", { bytes, bytesMax: RULES_BYTES_MAX });
    return this.#queue.add(request, { ...edit, put }) ? undefined : tooMany();
  }

  /** Takes out the changes at the front that can't be made, now that it is their turn. */
  refuseNext(): { readonly request: number; readonly error: RegistryError }[] {
    return this.#queue.refuseNext((edit) => this.#refusal(edit));
  }

  /** The next change to save, if none is under way. */
  begin(term: number, nowMs: number): RuleSave | undefined {
    this.#endRules(nowMs);
    return this.#queue.begin((edit) => ({ save: this.#saveOf(edit, nowMs), term }))?.save;
  }

  /** The save that the store has answered. */
  ended(): ({ readonly request: number } & SaveUnderWay) | undefined {
    const ended = this.#queue.ended();
    return ended && { request: ended.request, ...ended.saved };
  }

  /** The store has the change. Returns the message to the members that have the rules before. */
  saved(save: RuleSave, nowMs: number): RulesMessage {
    const { put, removed } = save;
    const { epoch: base } = this.#rules;
    // Since the save was begun, the store may have been read, and what it had published under a later epoch.
    const epoch = save.epoch > base ? save.epoch : this.#versions.next(nowMs, 0n);
    this.#publish(this.#rules.changed(save, epoch));
    return { kind: "rules", epoch, base, put, removed };
  }

  /** This node no longer leads: returns the requests that wait. */
  clear(): number[] {
    return this.#queue.clear();
  }

  /** The time at which a rule ends. */
  nextMs(): number {
    return this.#hasOwn ? Number.POSITIVE_INFINITY : this.#endMs;
  }

  /** The message to a member that has rules of this epoch; undefined if it has the newest, or will in a moment. */
  toTell(member: Member, known: bigint, nowMs: number): RulesMessage | undefined {
    const { epoch } = this.#rules;
    const told = this.#told.get(keyOf(member));
    const isUnderWay = told?.epoch === epoch && nowMs - told.atMs < UNDER_WAY_MS;
    if (epoch === NO_VERSION || known === epoch || isUnderWay) return undefined;
    this.#told.set(keyOf(member), { epoch, atMs: nowMs });
    return { kind: "rules", epoch, put: [...this.#rules.rules()], removed: [] };
  }

  /** As `toTell`, for a change that was just saved: a member that has the rules before is told only that. */
  changeToTell(member: Member, change: RulesMessage, known: bigint, nowMs: number): RulesMessage | undefined {
    const has = this.#told.get(keyOf(member))?.epoch ?? known;
    if (has !== change.base) return this.toTell(member, known, nowMs);
    this.#told.set(keyOf(member), { epoch: change.epoch, atMs: nowMs });
    return change;
  }

  /** A link of the member was made or lost, or it is gone: what it was told may not have arrived. */
  forget(member: Member): void {
    this.#told.delete(keyOf(member));
  }

  /** A change of its own waits or is under way. */
  get #hasOwn(): boolean {
    return this.#queue.requests.includes(OWN_REQUEST);
  }

  #publish(rules: RuleSet): void {
    this.#rules = rules;
    this.#endMs = Number.POSITIVE_INFINITY;
    for (const { untilMs } of rules.rules()) if (untilMs !== undefined) this.#endMs = Math.min(this.#endMs, untilMs);
  }

  #endRules(nowMs: number): void {
    if (nowMs < this.nextMs()) return;
    const isOver = ({ untilMs }: Rule) => untilMs !== undefined && nowMs >= untilMs;
    const over = [...this.#rules.rules()].filter(isOver).slice(0, RULES_PER_CHANGE_MAX);
    const expected = new Map(over.map(({ id, epoch }) => [id, epoch]));
    this.#queue.add(OWN_REQUEST, { put: [], removed: over.map(({ id }) => id), expected });
  }

  #refusal({ put, removed, expected }: RuleEdit): RegistryError | undefined {
    for (const [rule, epoch] of expected) {
      const known = this.#rules.get(rule)?.epoch;
      if (known !== epoch) return fail("RULE_CHANGED", { rule, ...(known !== undefined && { epoch: known }) });
    }
    const next = this.#rules.changed({ put: put.map((draft) => ({ ...draft, setMs: 0, epoch: 0n })), removed }, 0n);
    if (next.size > RULES_MAX) return fail("RULES_EXHAUSTED", { rules: next.size, rulesMax: RULES_MAX });
    const { wide } = next;
    if (wide > WIDE_RULES_MAX) return fail("RULES_EXHAUSTED", { wide, wideMax: WIDE_RULES_MAX });
    const bytes = bytesOf(next.rules());
    if (bytes > RULES_BYTES_MAX) return fail("RULES_EXHAUSTED", { bytes, bytesMax: RULES_BYTES_MAX });
    return undefined;
  }

  #saveOf({ put, removed }: RuleEdit, nowMs: number): RuleSave {
    // The store has one state of the rules, under any leader: only leaders give epochs.
    const epoch = this.#versions.next(nowMs, 0n);
    const setMs = Math.floor(nowMs);
    return { epoch, put: put.map((draft) => ({ ...draft, setMs, epoch })), removed };
  }
}

function tooMany(): RegistryError {
  const reason = "too many changes are waiting for the store";
  return fail("STORE_UNAVAILABLE", { reason, waiting: SAVES_WAITING_MAX });
}

function bytesOf(rules: Iterable<RuleDraft>): number {
  let bytes = 0;
  for (const rule of rules) bytes += ruleBytes(rule);
  return bytes;
}
