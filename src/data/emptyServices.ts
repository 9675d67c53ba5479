// A session that asks for a service without publishers is remembered, to hear of its first publisher. Any client can
// ask for millions of names, so beyond a bound no further one is remembered: the answer is that the service is empty,
// and the session hears of a publisher with its next scan, within seconds.
//
// Such a session asks again with each scan, and must not get a new answer each time: it would push that. Its version is
// certainly that of an emptiness if it comes from this leader and is later than all that was forgotten in the slot.

import type { DataToSession } from "../cluster/messages/sessionData.ts";
import type { DatumVersion } from "../model/datum.ts";
import type { ServiceKey } from "../model/ids.ts";
import type { LedSlot } from "./ledSlot.ts";
import type { SharedMemory } from "./slotContents.ts";
import type { VersionFloor } from "./versionFloor.ts";

export class EmptyServices {
  readonly #memory: SharedMemory;
  readonly #max: number;
  readonly #versions: Pick<VersionFloor, "give">;

  constructor(memory: SharedMemory, max: number, versions: Pick<VersionFloor, "give">) {
    this.#memory = memory;
    this.#max = max;
    this.#versions = versions;
  }

  /** The most allowed are remembered. */
  get areTooMany(): boolean {
    return this.#memory.datums - this.#memory.publications.services >= this.#max;
  }

  /** The answer about a service that is not here to a session that has `have`; undefined if it need not be answered. */
  answer(
    { leaderEpoch, contents, isServing }: LedSlot,
    { serviceKey, have, isScan }: { serviceKey: ServiceKey; have: DatumVersion; isScan: boolean },
    nowMs: number,
  ): DataToSession | undefined {
    if (!isServing) return { kind: "notReady", serviceKey };
    const isKnown = have.origin === leaderEpoch && have.version > contents.forgotten;
    if (isKnown) return isScan ? undefined : { kind: "current", serviceKey };
    return { kind: "snapshot", datum: { ...this.#versions.give(nowMs, leaderEpoch), serviceKey, publications: [] } };
  }
}
