// Application-level discovery in a meta node, on the obvious store. Members are s1 and s2.

import assert from "node:assert/strict";
import type { AppAnswer, AppQuestion } from "../../cluster/messages/apps.ts";
import type { Member } from "../../cluster/messages/membership.ts";
import type { AppRevision } from "../../model/appRevision.ts";
import { nodeId } from "../../model/ids.ts";
import type { Commit, RangeQuery } from "../../records/records.ts";
import { RecordTable } from "../../records/recordTable.ts";
import { type AppDuty, Applications } from "../applications.ts";
import type { CommitResult } from "../saveOutcome.ts";

export const S1: Member = { id: nodeId("s1.a"), role: "session" };
export const S2: Member = { id: nodeId("s2.a"), role: "session" };
export const BOTH = { revisions: true, services: true };
export const START_MS = 1_800_000_000_000;
export const HOUR_MS = 3_600_000;

export function revision(id: string, services = ["orders"], application = "shop", bytes = 10): AppRevision {
  return { id, application, services, content: new Uint8Array(bytes).fill(id.length) };
}

/** A meta node on a store. Statements wait until `settle`, or until they are answered otherwise. */
export function scene(store = new RecordTable()) {
  const sent: { readonly to: Member; readonly message: AppAnswer }[] = [];
  let statements: { readonly request: number; readonly query?: RangeQuery; readonly commit?: Commit }[] = [];
  const commits: Commit[] = [];
  let numbers = 0;
  const output = {
    send: (to: Member, message: AppAnswer) => void sent.push({ to, message }),
    readRecords: (request: number, query: RangeQuery) => void statements.push({ request, query }),
    commitRecords: (commit: Commit) => {
      numbers += 1;
      statements.push({ request: numbers, commit });
      return numbers;
    },
  };
  const one = {
    applications: new Applications(output),
    store,
    nowMs: START_MS,
    switches: BOTH,
    duty: "leads" as AppDuty,
    commits,
    leaseEpoch: 1n,
    get waiting() {
      return statements;
    },
    take() {
      const taken = statements;
      statements = [];
      return taken;
    },
    /** Answers one statement as the store would, or as told. */
    answer({ request, query, commit }: (typeof statements)[number], outcome?: CommitResult | "away") {
      if (query !== undefined) {
        const page = outcome === "away" ? undefined : store.range(query);
        one.applications.recordsRead(request, page?.kind === "page" ? page : undefined, one.nowMs);
      } else if (commit !== undefined) {
        commits.push(commit);
        const done = outcome ?? store.commit(commit, (epoch) => epoch === one.leaseEpoch);
        const result: CommitResult = done === "away" ? { kind: "unknown" } : done;
        one.applications.recordsCommitted(request, result, one.nowMs);
      }
    },
    work() {
      one.applications.work(one.switches, one.nowMs);
    },
    /** Lets the store answer everything. */
    settle() {
      for (let left = 10_000; left > 0; left--) {
        one.work();
        const [next, ...rest] = one.take();
        if (next === undefined) return;
        statements = rest;
        one.answer(next);
      }
      assert.fail("it has no end");
    },
    hear(from: Member, message: AppQuestion) {
      one.applications.received(from, message, { duty: one.duty, nowMs: one.nowMs });
    },
    /** The messages to a member since the last call. */
    told(to: Member) {
      const own = sent.filter((each) => each.to.id === to.id);
      sent.splice(0, sent.length, ...sent.filter((each) => each.to.id !== to.id));
      return own.map(({ message }) => message);
    },
    pass(ms: number) {
      one.nowMs += ms;
      one.settle();
    },
  };
  return one;
}

/** One that leads and has read its store. */
export function leading(store = new RecordTable()) {
  const one = scene(store);
  one.applications.begin(one.leaseEpoch, one.nowMs);
  one.settle();
  return one;
}

export const register = (...args: Parameters<typeof revision>): AppQuestion => ({
  kind: "registerRevision",
  revision: revision(...args),
});
export const find = (...ids: string[]): AppQuestion => ({ kind: "findRevisions", ids });
export const renew = (...ids: string[]): AppQuestion => ({ kind: "renewRevisions", ids });
export const watch = (...services: string[]): AppQuestion => ({ kind: "watchServiceApps", services });
export const stored = (...ids: string[]): AppAnswer => ({ kind: "revisionsStored", stored: ids, unknown: [] });

export function appsIn(messages: readonly AppAnswer[]): (readonly string[])[] {
  return messages.flatMap((each) =>
    each.kind === "serviceApps" ? each.entries.map(({ applications }) => applications) : [],
  );
}
