// Versions named by other nodes. A data node continues above every version that it hears of, so that no client's list
// goes back; an absurdly high one would take every node, and every disk, with it. So each is checked on arrival.

import { type DatumSnapshot, type DatumVersion, NO_DATUM_VERSION } from "../model/datum.ts";
import type { NodeId } from "../model/ids.ts";
import { VERSION_FLOOR_MAX } from "../model/version.ts";
import type { DataOutput, RefusedVersion } from "./dataPorts.ts";
import type { VersionFloor } from "./versionFloor.ts";

export class ForeignVersions {
  readonly #versions: VersionFloor;
  readonly #output: Pick<DataOutput, "versionRefused" | "clockBehind">;

  constructor(versions: VersionFloor, output: Pick<DataOutput, "versionRefused" | "clockBehind">) {
    this.#versions = versions;
    this.#output = output;
  }

  /** Whether the version may be used. */
  check(named: RefusedVersion, nowMs: number): boolean {
    const isBelieved = this.#versions.isCredible(named.version, nowMs);
    if (!isBelieved) this.#output.versionRefused(named);
    return isBelieved;
  }

  /** A session's version. A session whose list has an absurd version is answered like a new one. */
  checkedHave(have: DatumVersion, by: Omit<RefusedVersion, "version">, nowMs: number): DatumVersion {
    return this.check({ ...by, version: have.version }, nowMs) ? have : NO_DATUM_VERSION;
  }

  /**
   * The floor that meta sends with a slot table, right even when our clock is not: clients have seen versions up to
   * this.
   */
  raiseFloor(version: bigint, nowMs: number): void {
    if (version < 0n || version > VERSION_FLOOR_MAX) {
      return this.#output.versionRefused({ what: "slotTable", from: "meta", version });
    }
    const behindMs = this.#versions.raiseOfMeta(version, nowMs);
    if (behindMs > 0) this.#output.clockBehind(behindMs);
  }

  /** The list that a session was asked for; one with an absurd version counts as none. */
  checkedList(list: DatumSnapshot, from: NodeId, nowMs: number): DatumSnapshot {
    if (this.check({ what: "recalled", from, version: list.version }, nowMs)) return list;
    return { ...NO_DATUM_VERSION, serviceKey: list.serviceKey, publications: [] };
  }
}
