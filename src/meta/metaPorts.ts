// The meta role's interface to its host: its options, the events that step it, and the effects of a step.

import type { RegistryError } from "../base/errors.ts";
import type { Member, MemberToMeta, MetaToMember } from "../cluster/messages/membership.ts";
import type { NodeId, ServiceKey } from "../model/ids.ts";
import type { RuleEdit } from "../model/rule.ts";
import type { WholeRange } from "../records/readAll.ts";
import type { Commit, LeaderLease, RangePage, RangeQuery } from "../records/records.ts";
import type { ConfigLimits } from "./configs.ts";
import type { LeadOptions, LeadOutput } from "./lead.ts";
import type { MembershipOptions } from "./membership.ts";
import type { CommitResult } from "./saveOutcome.ts";
import type { SlotOptions } from "./slotKeeper.ts";
import type { SlotPause } from "./slotPause.ts";

/** The settings of a meta node. */
export type MetaOptions = LeadOptions & MembershipOptions & SlotOptions & ConfigLimits;

/** A number that a member has named in its heartbeat. */
export interface RefusedClaim {
  readonly what: "newestVersion" | "tableEpoch" | "members" | "rulesEpoch";
  readonly from: NodeId;
  readonly version: bigint;
}

/**
 * The effects of a step. Every request to the store is answered by exactly one event, within a few seconds, if need be
 * by one that reports that the store failed.
 */
export interface MetaOutput extends LeadOutput {
  send(to: Member, message: MetaToMember): void;
  /** Reads all records of the role meta (META_PREFIX). */
  load(): void;
  /** Makes a commit; the answer has the same number. */
  commit(number: number, commit: Commit): void;
  /** Reads a part of the records; the answer has the same number. */
  readRecords(request: number, query: RangeQuery): void;
  /** A message named a number that no node can have given by now. It was not believed. */
  versionRefused(refused: RefusedClaim): void;
  /** The outcome of an operator's request, by its number: undefined for done. */
  answer(request: number, error: RegistryError | undefined): void;
}

/**
 * The events that a meta node is stepped with: messages and links of members, answers of the store, and requests of
 * operators.
 */
export type MetaEvent =
  | { readonly kind: "received"; readonly from: Member; readonly message: MemberToMeta }
  /** A link of this member was made. A member may have several at a time; each has its `memberDown`. */
  | { readonly kind: "memberUp"; readonly member: Member }
  | { readonly kind: "memberDown"; readonly member: Member }
  /** `askedMs`: the time of the call of `acquireLease`. `lease` is undefined if the store failed. */
  | { readonly kind: "leaseAnswered"; readonly lease: LeaderLease | undefined; readonly askedMs: number }
  /** `range` is undefined if the store failed. */
  | { readonly kind: "loaded"; readonly range: WholeRange | undefined }
  | { readonly kind: "committed"; readonly number: number; readonly result: CommitResult }
  /** `page` is undefined if the store failed, or no longer has what was asked for. */
  | { readonly kind: "recordsRead"; readonly request: number; readonly page: RangePage | undefined }
  /** An operator wants the services of applications to be compared with their revisions now. */
  | { readonly kind: "compareServices" }
  | {
      readonly kind: "putConfig";
      readonly request: number;
      readonly serviceKey: ServiceKey;
      readonly data: string | null;
      /** The change is only made if the value has this version; 0: if there is none. */
      readonly ifVersion?: bigint;
    }
  | { readonly kind: "blockNode"; readonly request: number; readonly node: string; readonly isBlocked: boolean }
  | { readonly kind: "changeRules"; readonly request: number; readonly edit: RuleEdit }
  /** An operator pauses the arrangement of slots, or ends the pause (undefined). */
  | { readonly kind: "pauseSlots"; readonly request: number; readonly pause: Omit<SlotPause, "sinceMs"> | undefined }
  /** An operator wants slots to be arranged now, in a pause, too. */
  | { readonly kind: "arrangeSlots"; readonly request: number }
  /** The process stops: releases the lead. */
  | { readonly kind: "resign" }
  /** An operator wants another node to lead: releases the lead, and leaves it to the others for a while. */
  | { readonly kind: "stepDown" }
  | { readonly kind: "woken" };
