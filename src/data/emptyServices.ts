// Whoever asks for a service that nobody publishes is remembered, to hear of its first publisher. Anybody can ask for
// millions of names, so beyond a bound nothing is remembered of one more: the answer is that it is empty, and the
// session hears of a publisher with its next scan, within seconds.
//
// A session that has heard so asks again with each scan, and must not be told anew each time: it would push that. What
// it has is an emptiness and nothing else if it is of this leader and later than all that was forgotten in the slot.

import type { DataToSession } from "../cluster/messages/sessionData.ts";
import type { DatumVersion } from "../model/datum.ts";
import type { DataInfoId } from "../model/ids.ts";
import type { SharedMemory } from "./slotContents.ts";
import type { LedSlot } from "./slots.ts";

export class EmptyServices {
  readonly #memory: SharedMemory;
  readonly #max: number;
  readonly #newVersion: (leaderEpoch: bigint) => DatumVersion;

  constructor(memory: SharedMemory, max: number, newVersion: (leaderEpoch: bigint) => DatumVersion) {
    this.#memory = memory;
    this.#max = max;
    this.#newVersion = newVersion;
  }

  /** As many are remembered as may be. */
  get areTooMany(): boolean {
    return this.#memory.datums - this.#memory.publications.services >= this.#max;
  }

  /** What is said of a service that is not here to a session that has `have`; undefined if it need not be told. */
  answer(
    { leaderEpoch, contents, isServing }: LedSlot,
    { dataInfoId, have, isScan }: { dataInfoId: DataInfoId; have: DatumVersion; isScan: boolean },
  ): DataToSession | undefined {
    if (!isServing) return { kind: "notReady", dataInfoId };
    const isKnown = have.origin === leaderEpoch && have.version > contents.forgotten;
    if (isKnown) return isScan ? undefined : { kind: "current", dataInfoId };
    return { kind: "snapshot", datum: { ...this.#newVersion(leaderEpoch), dataInfoId, publications: [] } };
  }
}
