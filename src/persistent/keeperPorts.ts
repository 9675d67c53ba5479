// The keeper of persistent registrations as its host sees it: the events that it takes, and its way to the registry,
// the store, the network and other sessions.

import type { RegistryError } from "../base/errors.ts";
import type { Cancel } from "../base/ports.ts";
import type { Probe, ProbeOutcome } from "../base/probes.ts";
import type { CheckResult } from "../model/check.ts";
import type { NodeId } from "../model/ids.ts";
import type { Commit, CommitOutcome } from "../records/records.ts";
import type { LeaseAnswer, LeaseEvent } from "../registry/lease.ts";
import type { PersistentKey, PutRequest, RemoveRequest, ReportRequest } from "../registry/persistent.ts";
import type { RecordChange } from "./copy.ts";

type WithoutAsker<Event> = Event extends LeaseEvent ? Omit<Event, "asker" | "account" | "untilMs"> : never;

/** A request to the registry, without its asker. */
export type KeeperLease = WithoutAsker<LeaseEvent>;

/** A report that goes to the session that keeps the registration. */
export interface PassedReport {
  readonly key: PersistentKey;
  readonly check: string;
  readonly result: CheckResult;
}

/** The outcome of a report at another session. */
export type PassedAnswer = "taken" | "unknown" | "unreachable";

/** The effects of the keeper. Each `done` is called once, in a later step: the host passes it on as `answered`. */
export interface KeeperOutput {
  /** `request` has the account of a client's request; the keeper's own have that of the node. */
  lease(lease: KeeperLease, request: LeaseRequestOf, done: (answer: LeaseAnswer, nowMs: number) => void): void;
  /** An error is STORE_UNAVAILABLE, STORE_OUTCOME_UNKNOWN, RECORD_TOO_LARGE or RECORD_INVALID. */
  commit(commit: Commit, done: (outcome: CommitOutcome | RegistryError, nowMs: number) => void): void;
  /** `done` is not called after the cancel. */
  probe(probe: Probe, timeoutMs: number, done: (outcome: ProbeOutcome, nowMs: number) => void): Cancel;
  pass(session: NodeId, report: PassedReport, done: (answer: PassedAnswer, nowMs: number) => void): void;
}

/** The rest of a request to the registry. */
export interface LeaseRequestOf extends Pick<LeaseEvent, "untilMs"> {
  readonly account?: LeaseEvent["account"];
}

export type KeeperEvent =
  /** A part of the records, as they are read for the first time. The rest follows, and a `changed` is the end. */
  | { readonly kind: "read"; readonly changes: readonly RecordChange[] }
  /** The copy of the records has everything up to this revision, with these changes. */
  | { readonly kind: "changed"; readonly changes: readonly RecordChange[]; readonly revision: bigint }
  /** The copy had everything that was stored at this time: the store has just been asked. */
  | { readonly kind: "confirmed"; readonly atMs: number }
  /** The sessions that are members of the cluster. */
  | { readonly kind: "members"; readonly sessions: readonly NodeId[] }
  | { readonly kind: "put"; readonly request: PutRequest }
  | { readonly kind: "remove"; readonly request: RemoveRequest }
  | { readonly kind: "report"; readonly request: ReportRequest }
  /** A report that came to another session. */
  | { readonly kind: "passed"; readonly report: PassedReport; readonly done: (answer: PassedAnswer) => void }
  /** An effect has ended. */
  | { readonly kind: "answered"; readonly take: (nowMs: number) => void }
  | { readonly kind: "woken" };

/** The times of a keeper, in ms. */
export interface KeeperTimes {
  /** The lease of a registration: it outlives the time in which another session takes over, however long that is. */
  readonly leaseMs: number;
  /** From one heartbeat for a registration to the next. */
  readonly renewMs: number;
  /** The mark of a registration that was taken back stays for this long. */
  readonly takenBackMs: number;
  /** From one end of such a registration's lease to the next. */
  readonly endAgainMs: number;
  /**
   * A copy that was not confirmed for longer registers nothing: by then the mark of a registration that was taken back
   * may be gone, and its lease would live on. Below `takenBackMs`.
   */
  readonly unconfirmedMs: number;
  /** The record of a session that is no member for so long is removed. */
  readonly absentMs: number;
}

export const KEEPER_TIMES: KeeperTimes = {
  leaseMs: 86_400_000,
  renewMs: 15_000,
  takenBackMs: 1_800_000,
  endAgainMs: 60_000,
  unconfirmedMs: 1_200_000,
  absentMs: 600_000,
};
