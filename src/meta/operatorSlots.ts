// Operators pause and resume the arrangement of slots, which is a record, and ask for it to be done now. Such a request
// is answered when the table that it led to is saved, or when there is nothing to change.

import { fail, type RegistryError } from "../base/errors.ts";
import { SLOT_PAUSE_RECORD } from "./metaRecords.ts";
import { stillReading } from "./operatorRules.ts";
import { RecordSet } from "./recordSet.ts";
import type { ArrangeOutcome } from "./slotKeeper.ts";
import type { SlotPause } from "./slotPause.ts";

/** A pause to begin, or undefined: the pause is to end. */
interface PauseChange {
  readonly pause: Omit<SlotPause, "sinceMs"> | undefined;
}

/** The effects, and the surroundings that they depend on. */
export interface OperatorSlotsOutput {
  answer(request: number, error: RegistryError | undefined): void;
  /** Whether the node leads, and knows what the store has. */
  isInCharge(): boolean;
  /** The store may have been read before it had a change that it has. */
  readAgain(nowMs: number): void;
  /** Slots are to be arranged as soon as they may be. */
  arrange(nowMs: number): void;
}

const NOTHING: SlotPause = { setBy: "", reason: "", sinceMs: 0 };

export class OperatorSlots {
  /** The pause as the store has it: one record, or none. */
  readonly records: RecordSet<SlotPause, PauseChange>;
  readonly #output: OperatorSlotsOutput;
  #pause: SlotPause | undefined;
  /** Requests that wait for an arrangement, and those of the table that is being saved. */
  #waiting: number[] = [];
  #saving: number[] = [];

  constructor(output: OperatorSlotsOutput) {
    this.#output = output;
    this.records = new RecordSet<SlotPause, PauseChange>({
      codec: SLOT_PAUSE_RECORD,
      // A second pause does not begin anew: operators want to know for how long slots have not been arranged.
      save: ({ pause }, nowMs) =>
        pause === undefined
          ? { kind: "remove", value: NOTHING }
          : { kind: "put", value: { ...pause, sinceMs: this.#pause?.sinceMs ?? Math.floor(nowMs) } },
      loaded: ([pause]) => this.#take(pause),
      saved: ({ kind, value }, nowMs) => this.#saved(kind === "put" ? value : undefined, nowMs),
    });
  }

  /** The pause in force; undefined while slots are arranged. */
  get pause(): SlotPause | undefined {
    return this.#pause;
  }

  /** Slots stay where they are, unless an operator has asked for this one arrangement. */
  get isPaused(): boolean {
    return this.#pause !== undefined && this.#waiting.length === 0;
  }

  /** An operator wants slots to be arranged now. */
  ask(request: number, nowMs: number): void {
    if (!this.#output.isInCharge()) return this.#output.answer(request, stillReading());
    if (this.#waiting.length >= WAITING_MAX) return this.#output.answer(request, tooMany());
    this.#waiting.push(request);
    this.#output.arrange(nowMs);
  }

  /** Slots were arranged, or could not be. */
  arranged(outcome: ArrangeOutcome): void {
    if (this.#waiting.length === 0 || outcome.kind === "later") return;
    const requests = this.#waiting;
    this.#waiting = [];
    if (outcome.kind === "save") return void this.#saving.push(...requests);
    const error = outcome.kind === "frozen" ? fail("SLOTS_FROZEN", outcome.reason) : undefined;
    for (const request of requests) this.#output.answer(request, error);
  }

  /** The store has the table. */
  tableSaved(): void {
    for (const request of this.#saving.splice(0)) this.#output.answer(request, undefined);
  }

  /** The store may not have the table: slots are arranged anew after it was read. */
  tableNotSaved(): void {
    this.#waiting.unshift(...this.#saving.splice(0));
  }

  /** This node no longer leads: the requests are answered with `refusal`. */
  lost(refusal: () => RegistryError): void {
    for (const request of [...this.#saving.splice(0), ...this.#waiting.splice(0)]) {
      this.#output.answer(request, refusal());
    }
  }

  #take(pause: SlotPause | undefined): void {
    this.#pause = pause;
  }

  #saved(pause: SlotPause | undefined, nowMs: number): void {
    if (!this.#output.isInCharge()) return this.#output.readAgain(nowMs);
    this.#take(pause);
    this.#output.arrange(nowMs);
  }
}

// Operators ask by hand, and all of them are answered at once.
const WAITING_MAX = 100;

function tooMany(): RegistryError {
  return fail("STORE_UNAVAILABLE", { reason: "too many requests wait for slots to be arranged", waiting: WAITING_MAX });
}
