// Writes the statuses of checks to the store when they change, so that every node can show them, and so that a session
// that takes over begins with them. A status that is told late is told as it is by then. The registry does not
// wait for it: the health of a registration goes to its leader with a heartbeat.

import { Deadlines } from "../base/deadlines.ts";
import { RegistryError } from "../base/errors.ts";
import type { CheckRun } from "./checkRun.ts";
import type { Entry } from "./copy.ts";
import type { KeeperOutput } from "./keeperPorts.ts";
import {
  type RecordId,
  registrationRecord,
  type StoredStatus,
  type StoredStatuses,
  statusBytes,
  statusRecord,
} from "./recordForm.ts";

// Stores write what waits in one transaction.
const UNDER_WAY_MAX = 16;
const RETRY_MS = 1_000;

interface Parts {
  readonly output: Pick<KeeperOutput, "commit">;
  readonly entry: (id: RecordId) => Entry | undefined;
  readonly runs: (id: RecordId) => readonly CheckRun[] | undefined;
}

export class StatusWriter {
  readonly #parts: Parts;
  readonly #due = new Deadlines<RecordId>();
  #underWay = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** The number of registrations whose statuses are not written yet. */
  get waiting(): number {
    return this.#due.size + this.#underWay;
  }

  changed(id: RecordId, nowMs: number): void {
    this.#due.set(id, nowMs);
  }

  nextMs(): number {
    return this.#underWay < UNDER_WAY_MAX ? this.#due.nextMs() : Number.POSITIVE_INFINITY;
  }

  wake(nowMs: number): void {
    while (this.#underWay < UNDER_WAY_MAX) {
      const id = this.#due.take(nowMs);
      if (id === undefined) return;
      this.#write(id);
    }
  }

  #write(id: RecordId): void {
    const { entry, runs, output } = this.#parts;
    const known = entry(id);
    const made = runs(id);
    if (known?.registration === undefined || made === undefined) return;
    const statuses = statusesOf(made, known.statuses);
    if (saysTheSame(statuses, known.statuses)) return;
    const conditions = [
      // A registration that was taken back meanwhile leaves no statuses.
      { kind: "revision", key: registrationRecord(id), revision: known.revision },
      { kind: "revision", key: statusRecord(id), revision: known.statusRevision },
    ] as const;
    const operations = [{ kind: "put", key: statusRecord(id), value: statusBytes(statuses) }] as const;
    this.#underWay++;
    output.commit({ conditions, operations }, (outcome, nowMs) => {
      this.#underWay--;
      // Refused: the copy learns in a moment why. It may also have been made, and is then in the copy.
      const isDone = !(outcome instanceof RegistryError) && outcome.kind === "committed";
      if (!isDone) this.#due.set(id, nowMs + RETRY_MS);
    });
  }
}

/** The statuses to store: those that were told by clients are as stored, for any node writes them. */
function statusesOf(runs: readonly CheckRun[], stored: StoredStatuses): StoredStatuses {
  const statuses = new Map<string, StoredStatus>();
  for (const { check, digest, status, output, sinceMs } of runs) {
    const isTold = check.probe === undefined && check.ttlMs === undefined;
    const told = isTold ? stored.get(check.id) : undefined;
    if (told !== undefined && told.digest === digest) statuses.set(check.id, told);
    else if (!isTold) statuses.set(check.id, { status, output, digest, sinceMs });
  }
  return statuses;
}

/** An output alone is not worth a record. */
function saysTheSame(statuses: StoredStatuses, stored: StoredStatuses): boolean {
  if (statuses.size !== stored.size) return false;
  for (const [check, { status, digest }] of statuses) {
    const known = stored.get(check);
    if (known?.status !== status || known.digest !== digest) return false;
  }
  return true;
}
