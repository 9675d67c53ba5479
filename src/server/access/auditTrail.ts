// The audit trail at this node: each entry is a line of the log at once, and a record a moment later. No change waits
// for its entry, and none is refused because its entry can't be stored: while the store is away entries wait here, and
// the log has them in any case.

import {
  type Audit,
  type AuditEntry,
  type AuditPage,
  type AuditQuery,
  auditFields,
  readAuditEntry,
} from "../../admin/auditEntry.ts";
import { fail, RegistryError } from "../../base/errors.ts";
import type { Cancel, Clock, Log, Timers } from "../../base/ports.ts";
import type { OperationCalls } from "../../cluster/links/operationCalls.ts";
import type { NodeId } from "../../model/ids.ts";
import type { Records } from "../../records/records.ts";
import { type LimitedLog, limitedLog } from "../limitedLog.ts";
import { type AuditLimits, listEntries, pruneEntries, storeEntries } from "./auditStore.ts";

/** The name under which nodes without the store hand over entries; no path leads here. */
export const KEEP_AUDIT = "access/audit";

export interface TrailEnvironment {
  readonly id: NodeId;
  /** Undefined for a node without the role meta. */
  readonly store: Pick<Records, "range" | "commit"> | undefined;
  readonly operations: Pick<OperationCalls, "ask">;
  /** This node is the leading meta node. */
  readonly isLeading: () => boolean;
  readonly limits: AuditLimits;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
  /** Called for a bug: the node must end. */
  readonly failed: (error: unknown) => void;
}

// Operators make a few changes a minute. While the store is away this many are kept, and the rest is in the log.
const WAITING_MAX = 1_000;
const AT_ONCE_MAX = 50;
const FLUSH_MS = 200;
const RETRY_MS = 2_000;
const ANSWER_MS_MAX = 5_000;
// Requests that are refused cost a stranger nothing; beyond this many in a window they are counted in the log only.
const REFUSED_MAX = 100;
const WINDOW_MS = 60_000;
const PRUNE_MS = 10 * 60_000;

export class AuditTrail {
  readonly #environment: TrailEnvironment;
  readonly #log: LimitedLog;
  readonly #waiting: (readonly [id: string, entry: AuditEntry])[] = [];
  #count = 0;
  #lost = 0;
  #refused = { count: 0, endMs: 0 };
  #cancelFlush: Cancel | undefined;
  #cancelPrune: Cancel = () => undefined;
  #flushing: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(environment: TrailEnvironment) {
    this.#environment = environment;
    this.#log = limitedLog(environment.log, environment);
  }

  /** Removes entries that are too old from now on. */
  begin(): void {
    this.#cancelPrune = this.#environment.timers.after(PRUNE_MS, () => void this.#prune().then(() => this.begin()));
  }

  /** Keeps an entry. */
  readonly record: Audit = (entry) => {
    const { id, clock } = this.#environment;
    const whole: AuditEntry = { ...entry, atMs: Math.floor(clock.nowMs()), node: id };
    const fields = { ...auditFields(whole), address: whole.from };
    if (whole.outcome === "made") this.#environment.log.info("an operator has made a change", fields);
    else this.#log.warn("an operation was refused", fields);
    if (whole.outcome === "refused" && !this.#mayKeepRefusal(whole.atMs)) return;
    this.#count++;
    this.#waiting.push([`${id}-${this.#count}`, whole]);
    if (this.#waiting.length > WAITING_MAX) {
      this.#waiting.shift();
      this.#lost++;
    }
    this.#flushSoon(FLUSH_MS);
  };

  /** Entries of the store, newest first. Rejects with ROLE_NEEDED at a node without it, or STORE_UNAVAILABLE. */
  async list(query: AuditQuery): Promise<AuditPage> {
    const { store } = this.#environment;
    if (store === undefined) throw fail("ROLE_NEEDED", { role: "meta" });
    await this.flush();
    return listEntries(store, query);
  }

  /** Stores the entries of another node, as JSON. Rejects with a RegistryError. */
  async keep(text: string): Promise<void> {
    const { store } = this.#environment;
    if (store === undefined) throw fail("ROLE_NEEDED", { role: "meta" });
    await storeEntries(store, readEntries(text));
  }

  /** Stores what waits; it waits on if that fails. */
  flush(): Promise<void> {
    this.#flushing = this.#flushing.then(() => this.#flush());
    return this.#flushing;
  }

  /** Stores what waits, if it can. May be called twice. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#cancelFlush?.();
    this.#cancelPrune();
    this.#log.flush();
    await this.flush();
  }

  #mayKeepRefusal(nowMs: number): boolean {
    if (nowMs >= this.#refused.endMs) this.#refused = { count: 0, endMs: nowMs + WINDOW_MS };
    this.#refused.count++;
    return this.#refused.count <= REFUSED_MAX;
  }

  #flushSoon(delayMs: number): void {
    if (this.#isClosed) return;
    this.#cancelFlush ??= this.#environment.timers.after(delayMs, () => {
      this.#cancelFlush = undefined;
      void this.flush();
    });
  }

  async #flush(): Promise<void> {
    while (this.#waiting.length > 0) {
      const some = this.#waiting.slice(0, AT_ONCE_MAX);
      if (!(await this.#store(some))) return this.#flushSoon(RETRY_MS);
      // Some may have made room for later ones meanwhile.
      const stored = new Set(some);
      this.#waiting.splice(0, this.#waiting.length, ...this.#waiting.filter((one) => !stored.has(one)));
    }
    if (this.#lost === 0) return;
    this.#environment.log.warn("entries of the audit trail are in the log only: the store was away", {
      entries: this.#lost,
    });
    this.#lost = 0;
  }

  /** Returns false if it is not certain that they are stored. */
  async #store(entries: readonly (readonly [string, AuditEntry])[]): Promise<boolean> {
    const { store, operations, failed } = this.#environment;
    if (store === undefined) {
      const asked = { operation: KEEP_AUDIT, parameters: JSON.stringify(entries) };
      return new Promise((resolve) => {
        operations.ask("leader", { asked, waitMs: ANSWER_MS_MAX }, (outcome) =>
          resolve(outcome.kind === "answered" && outcome.status === 200),
        );
      });
    }
    try {
      await storeEntries(store, entries);
      return true;
    } catch (error) {
      if (!(error instanceof RegistryError)) failed(error);
      return false;
    }
  }

  async #prune(): Promise<void> {
    const { store, isLeading, limits, clock, failed } = this.#environment;
    if (store === undefined || !isLeading()) return;
    try {
      await pruneEntries(store, limits, clock.nowMs());
    } catch (error) {
      // The next time will do.
      if (!(error instanceof RegistryError)) failed(error);
    }
  }
}

// An id is the node's and a number.
const ID = /^[\w.-]{1,200}$/;

function readEntries(text: string): [string, AuditEntry][] {
  const parsed: unknown = JSON.parse(text);
  if (!Array.isArray(parsed) || parsed.length > AT_ONCE_MAX) throw fail("FIELD_INVALID", { field: "entries" });
  return parsed.map((pair: unknown) => {
    const [id, json]: readonly unknown[] = Array.isArray(pair) ? pair : [];
    const entry = readAuditEntry(json);
    if (typeof id !== "string" || !ID.test(id) || entry === undefined)
      throw fail("FIELD_INVALID", { field: "entries" });
    return [id, entry];
  });
}
