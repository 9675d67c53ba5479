// The changes that clients and operators make, at any session. A change is a commit. When the store has it, this
// session tells the leader of the slot itself, as its keeper will too, and answers when that was heard and this node's
// own copy has the change: the next question here finds it.

import { Deadlines } from "../base/deadlines.ts";
import { fail, RegistryError } from "../base/errors.ts";
import type { Check } from "../model/check.ts";
import { clientId } from "../model/ids.ts";
import type { CommitOutcome, Condition } from "../records/records.ts";
import type { PersistentKey, PutRequest, RemoveRequest, ReportRequest } from "../registry/persistent.ts";
import { cutOutput } from "./checkRun.ts";
import type { Copy, Entry } from "./copy.ts";
import { equalRegistrations } from "./equalRegistrations.ts";
import { faultOfRegistration } from "./faultOfRegistration.ts";
import type { KeeperLease, KeeperOutput, KeeperTimes } from "./keeperPorts.ts";
import { endOf, registered } from "./keptLeases.ts";
import {
  checkDigest,
  type RecordId,
  recordIdOf,
  registrationBytes,
  registrationRecord,
  statusBytes,
  statusRecord,
  takenBackBytes,
} from "./recordForm.ts";
import type { Request, Waiting } from "./waiting.ts";

// The copy is some milliseconds behind the store.
const AGAIN_MS = 50;
/** The holder of a registration that this node does not know. */
const NO_HOLDER = clientId("");

interface Parts {
  readonly output: Pick<KeeperOutput, "commit" | "lease">;
  readonly copy: Copy;
  readonly waiting: Waiting;
  readonly registrationsMax: number;
  readonly times: KeeperTimes;
  /** Whether checks let the registration be called, with these definitions and the statuses that are known. */
  readonly isHealthy: (id: RecordId, checks: readonly Check[]) => boolean;
}

export class ClientChanges {
  readonly #parts: Parts;
  /** Reports that lost against another change of the same record. */
  readonly #again = new Deadlines<ReportRequest>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  put(request: PutRequest, nowMs: number): void {
    const { copy, registrationsMax, waiting, output } = this.#parts;
    const { registration, ifRevision } = request;
    const id = recordIdOf(registration);
    const value = registrationBytes(registration);
    const known = copy.get(id);
    const refusal =
      faultOfRegistration(registration, value.length) ??
      this.#refusal(request, nowMs) ??
      conflictOf(known, registration, ifRevision);
    if (refusal !== undefined) return request.done({ kind: "failed", error: refusal });
    const isFull = copy.registrations >= registrationsMax || (known === undefined && copy.size >= registrationsMax * 2);
    if (known?.registration === undefined && isFull) {
      const { registrations, size } = copy;
      const error = fail("PERSISTENT_EXHAUSTED", { registrations, takenBack: size - registrations, registrationsMax });
      return request.done({ kind: "failed", error });
    }
    waiting.add(request);
    const key = registrationRecord(id);
    const write = (conditions: readonly Condition[]) => {
      output.commit({ conditions, operations: [{ kind: "put", key, value }] }, (outcome, endMs) => {
        const revision = this.#revisionOf(outcome, request);
        if (revision === undefined) return;
        const isHealthy = this.#parts.isHealthy(id, registration.checks);
        const { leaseMs } = this.#parts.times;
        this.#tell(request, registered({ registration, revision }, { isHealthy, leaseMs }), { revision, nowMs: endMs });
      });
    };
    if (ifRevision !== undefined) return write([isAt(key, known)]);
    if (known?.registration === undefined || !equalRegistrations(known.registration, registration)) return write([]);
    // A registration that is only repeated changes nothing, unless it was changed elsewhere in this moment.
    output.commit({ conditions: [isAt(key, known)], operations: [] }, (outcome) => {
      if (outcome instanceof RegistryError || outcome.kind === "refused") return write([]);
      waiting.end(request, { kind: "done", revision: known.revision, isHeard: true });
    });
  }

  remove(request: RemoveRequest, nowMs: number): void {
    const { copy, waiting, output } = this.#parts;
    const { key, ifRevision } = request;
    const id = recordIdOf(key);
    const known = copy.get(id);
    const refusal = this.#refusal(request, nowMs) ?? conflictOf(known, key, ifRevision);
    if (refusal !== undefined) return request.done({ kind: "failed", error: refusal });
    waiting.add(request);
    if (known?.registration !== undefined) return this.#takeBack(request, known, nowMs);
    // One that is not in this node's copy may have been put at another node just now.
    output.commit({ conditions: [isAt(registrationRecord(id), known)], operations: [] }, (outcome, endMs) => {
      if (outcome instanceof RegistryError) return waiting.end(request, { kind: "failed", error: outcome });
      if (outcome.kind === "committed") return waiting.end(request, { kind: "unknown" });
      this.#takeBack(request, copy.get(id), endMs);
    });
  }

  /** A client tells the status of a check that has neither probe nor TTL: any node writes it. */
  tell(request: ReportRequest, nowMs: number): void {
    const refusal = this.#refusal(request, nowMs);
    if (refusal !== undefined) return request.done({ kind: "failed", error: refusal });
    this.#parts.waiting.add(request);
    this.#write(request, nowMs);
  }

  nextMs(): number {
    return this.#again.nextMs();
  }

  wake(nowMs: number): void {
    for (let request = this.#again.take(nowMs); request !== undefined; request = this.#again.take(nowMs)) {
      if (this.#parts.waiting.isWaiting(request)) this.#write(request, nowMs);
    }
  }

  #write(request: ReportRequest, nowMs: number): void {
    const { output, waiting, copy } = this.#parts;
    const { key, check: checkId, result } = request;
    const entry = copy.get(recordIdOf(key));
    const check = entry?.registration?.checks.find(({ id }) => id === checkId);
    if (entry === undefined || check === undefined) return waiting.end(request, { kind: "unknown" });
    const { id, revision, statuses, statusRevision } = entry;
    const digest = checkDigest(check);
    const before = statuses.get(checkId);
    const isSame = before?.digest === digest && before.status === result.status;
    const answer = { kind: "done", revision, isHeard: true } as const;
    if (isSame && before.output === cutOutput(result.output)) return waiting.end(request, answer);
    const sinceMs = isSame ? before.sinceMs : Math.floor(nowMs);
    const told = { status: result.status, output: cutOutput(result.output), digest, sinceMs };
    const value = statusBytes(new Map([...statuses, [checkId, told]]));
    const conditions = [
      { kind: "revision", key: registrationRecord(id), revision },
      { kind: "revision", key: statusRecord(id), revision: statusRevision },
    ] as const;
    output.commit({ conditions, operations: [{ kind: "put", key: statusRecord(id), value }] }, (outcome, endMs) => {
      if (outcome instanceof RegistryError) waiting.end(request, { kind: "failed", error: outcome });
      else if (outcome.kind === "committed") waiting.endAt(request, outcome.revision, answer);
      else this.#again.set(request, endMs + AGAIN_MS);
    });
  }

  #takeBack(request: RemoveRequest, known: Entry | undefined, nowMs: number): void {
    const { output } = this.#parts;
    const { serviceKey, registId } = request.key;
    const id = recordIdOf(request.key);
    const holder = known?.registration?.holder ?? known?.takenBack?.holder ?? NO_HOLDER;
    const value = takenBackBytes({ serviceKey, registId, holder, atMs: Math.floor(nowMs) });
    const conditions = request.ifRevision === undefined ? [] : [isAt(registrationRecord(id), known)];
    const operations = [
      { kind: "put", key: registrationRecord(id), value },
      { kind: "delete", key: statusRecord(id) },
    ] as const;
    output.commit({ conditions, operations }, (outcome, endMs) => {
      const revision = this.#revisionOf(outcome, request);
      if (revision === undefined) return;
      this.#tell(request, endOf({ serviceKey, registId, holder }, revision), { revision, nowMs: endMs });
    });
  }

  #refusal({ account }: Request, nowMs: number): RegistryError | undefined {
    const { waiting } = this.#parts;
    return waiting.refusal() ?? account.work(nowMs);
  }

  /** The revision of a commit; undefined if it was not made, and the client has its answer. */
  #revisionOf(outcome: CommitOutcome | RegistryError, request: PutRequest | RemoveRequest): bigint | undefined {
    if (!(outcome instanceof RegistryError) && outcome.kind === "committed") return outcome.revision;
    const { ifRevision = 0n } = request;
    const error = outcome instanceof RegistryError ? outcome : fail("VERSION_CONFLICT", { ifRevision });
    this.#parts.waiting.end(request, { kind: "failed", error });
    return undefined;
  }

  #tell(request: Request, lease: KeeperLease, { revision, nowMs }: { revision: bigint; nowMs: number }): void {
    const { output, waiting } = this.#parts;
    const { account, untilMs } = request;
    if (nowMs >= untilMs) return waiting.end(request, { kind: "done", revision, isHeard: false });
    output.lease(lease, { account, untilMs }, (answer) => {
      // The store has it, and its keeper tells the leader again.
      const isHeard = answer.kind === "accepted" && answer.isHeard;
      waiting.endAt(request, revision, { kind: "done", revision, isHeard });
    });
  }
}

function isAt(key: string, known: Entry | undefined): Condition {
  return { kind: "revision", key, revision: known?.revision ?? 0n };
}

/** `ifRevision` is 0 for a registration that is not there, also where its mark is. */
function conflictOf(
  known: Entry | undefined,
  { registId }: PersistentKey,
  ifRevision: bigint | undefined,
): RegistryError | undefined {
  const revision = known?.registration === undefined ? 0n : known.revision;
  return ifRevision === undefined || ifRevision === revision
    ? undefined
    : fail("VERSION_CONFLICT", { registId, ifRevision, revision });
}
