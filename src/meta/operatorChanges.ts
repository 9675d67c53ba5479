// Operators' changes through the leading meta node: configuration values and blocked nodes. Each change is saved before
// it is published, and its request is answered with the result.

import { unreachable } from "../base/assert.ts";
import { fail, type RegistryError } from "../base/errors.ts";
import type { ConfigValue } from "../cluster/messages/membership.ts";
import type { ServiceKey } from "../model/ids.ts";
import type { SaveOutcome } from "./saveOutcome.ts";
import { SAVES_WAITING_MAX, SaveQueue } from "./saveQueue.ts";

/** Blocks a node by its name, or unblocks it. */
export interface NodeBlock {
  readonly node: string;
  readonly isBlocked: boolean;
}

interface Put {
  readonly serviceKey: ServiceKey;
  readonly data: string | null;
  /** The version that the value must have when the change is begun. */
  readonly ifVersion?: bigint;
}

// Waiting values are not measured exactly: a UTF-16 unit takes at most three bytes.
const UNIT_BYTES_MAX = 3;

/** A save belongs to the term of the lead in which it was begun. */
interface InTerm<Saved> {
  readonly saved: Saved;
  readonly term: number;
}

/** The effects of an operator's change: saves, and the answer to the request; no error means that it was made. */
export interface OperatorOutput {
  saveConfig(value: ConfigValue): void;
  saveNodeBlocked(block: NodeBlock): void;
  answer(request: number, error: RegistryError | undefined): void;
  /** The answer to a request at a node that does not lead. */
  refusal(): RegistryError;
}

export class OperatorChanges {
  readonly #output: OperatorOutput;
  readonly #puts = new SaveQueue<Put, InTerm<ConfigValue>>();
  readonly #blocks = new SaveQueue<NodeBlock, InTerm<NodeBlock>>();

  constructor(output: OperatorOutput) {
    this.#output = output;
  }

  /** `refusal` returns the reason why the value is not taken, given the number and bytes of those that wait. */
  put(
    request: number,
    put: Put,
    refusal: (waiting: { count: number; bytes: number }) => RegistryError | undefined,
  ): void {
    const { waiting } = this.#puts;
    const bytes = waiting.reduce((sum, { data }) => sum + (data?.length ?? 0) * UNIT_BYTES_MAX, 0);
    const error = refusal({ count: waiting.length, bytes });
    if (error !== undefined) this.#output.answer(request, error);
    else if (!this.#puts.add(request, put)) this.#output.answer(request, tooMany());
  }

  block(request: number, block: NodeBlock): void {
    if (!this.#blocks.add(request, block)) this.#output.answer(request, tooMany());
  }

  /** Blocks on their way to the store, the next one first. */
  get blocksToCome(): readonly NodeBlock[] {
    const underWay = this.#blocks.underWay?.saved;
    return underWay === undefined ? this.#blocks.waiting : [underWay, ...this.#blocks.waiting];
  }

  /**
   * Saves the waiting changes, one of a kind at a time. `conflict` returns the reason why a change that was asked for
   * on a condition is not made: only now have all changes before it been made.
   */
  begin(term: number, toValue: (put: Put) => ConfigValue, conflict: (put: Put) => RegistryError | undefined): void {
    for (const { request, error } of this.#puts.refuseNext(conflict)) this.#output.answer(request, error);
    const value = this.#puts.begin((put) => ({ saved: toValue(put), term }));
    if (value !== undefined) this.#output.saveConfig(value.saved);
    const block = this.#blocks.begin((next) => ({ saved: next, term }));
    if (block !== undefined) this.#output.saveNodeBlocked(block.saved);
  }

  /** The store has answered for a value. Returns the term of the request; undefined if there was none. */
  configSaved({ serviceKey, version }: ConfigValue, outcome: SaveOutcome): number | undefined {
    const ended = this.#puts.ended(({ saved }) => saved.serviceKey === serviceKey && saved.version === version);
    return this.#ended(ended, outcome);
  }

  nodeBlocked({ node, isBlocked }: NodeBlock, outcome: SaveOutcome): number | undefined {
    const ended = this.#blocks.ended(({ saved }) => saved.node === node && saved.isBlocked === isBlocked);
    return this.#ended(ended, outcome);
  }

  /** This node no longer leads. A save under way still gets its answer from the store. */
  refuseWaiting(): void {
    for (const request of [...this.#puts.clear(), ...this.#blocks.clear()]) {
      this.#output.answer(request, this.#output.refusal());
    }
  }

  #ended(
    ended: { readonly request: number; readonly saved: InTerm<unknown> } | undefined,
    outcome: SaveOutcome,
  ): number | undefined {
    if (ended === undefined) return undefined;
    this.#output.answer(ended.request, this.#errorOf(outcome));
    return ended.saved.term;
  }

  #errorOf(outcome: SaveOutcome): RegistryError | undefined {
    switch (outcome) {
      case "saved":
        return undefined;
      case "refused":
        return this.#output.refusal();
      case "unknown":
        return fail("STORE_OUTCOME_UNKNOWN");
      default:
        return unreachable(outcome);
    }
  }
}

function tooMany(): RegistryError {
  return fail("STORE_UNAVAILABLE", {
    reason: "too many changes are waiting for the store",
    waiting: SAVES_WAITING_MAX,
  });
}
