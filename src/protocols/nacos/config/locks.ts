// Nacos' locks: a name that one client has at a time, until it gives it up or its time is over. The time is that of the
// nodes' clocks.

import { fail, RegistryError } from "../../../base/errors.ts";
import { keysWith } from "../../../records/keys.ts";
import type { StoredRecord } from "../../../records/records.ts";
import { LOCK_PREFIX } from "./configKey.ts";
import { readLock, writeHead } from "./configRecord.ts";
import type { ConfigStore } from "./configStore.ts";

export interface LockName {
  readonly type: string;
  readonly key: string;
}

/** The one type of the real server. */
export const LOCK_TYPE = "NACOS_LOCK";

// The real server's, with its default.
const LOCK_MS_MAX = 1_800_000;
const LOCK_MS = 30_000;
const KEY_CHARS_MAX = 256;
const LOCKS_MAX = 10_000;
const TRIES_MAX = 10;
// Locks whose time is over are removed this often, and all are counted.
const SWEEP_MS = 10_000;
const REMOVED_AT_ONCE = 50;

export class Locks {
  readonly #store: ConfigStore;
  readonly #nowMs: () => number;
  #sweepMs = 0;
  #count = 0;

  constructor(store: ConfigStore, nowMs: () => number) {
    this.#store = store;
    this.#nowMs = nowMs;
  }

  /** Called twice a second. `isSweeper`: this node removes the locks whose time is over. */
  check(nowMs: number, isSweeper: () => boolean): void {
    if (nowMs < this.#sweepMs || !this.#store.copy.isRead) return;
    this.#sweepMs = nowMs + SWEEP_MS;
    const locks = [...this.#store.copy.range(keysWith(LOCK_PREFIX))];
    this.#count = locks.length;
    const over = locks.filter((record) => readLock(record).endMs < nowMs);
    if (over.length > 0 && isSweeper()) this.#remove(over);
  }

  /**
   * Takes the lock for so long; below 0: for the usual time. Resolves to whether it was free. Rejects with
   * FIELD_INVALID, or as the store does.
   */
  async acquire(name: LockName, forMs: number): Promise<boolean> {
    const key = recordKeyOf(name);
    for (let tries = 1; tries <= TRIES_MAX; tries++) {
      this.#store.checkRead();
      const nowMs = Math.floor(this.#nowMs());
      const known = this.#store.copy.get(key);
      if (known !== undefined && readLock(known).endMs > nowMs) return false;
      if (known === undefined && this.#count >= LOCKS_MAX) throw fail("OVERLOADED", { locks: LOCKS_MAX });
      const endMs = nowMs + (forMs < 0 ? LOCK_MS : Math.min(forMs, LOCK_MS_MAX));
      const outcome = await this.#store.copy.commit({
        conditions: [{ kind: "revision", key, revision: known?.revision ?? 0n }],
        operations: [{ kind: "put", key, value: writeHead({ endMs }) }],
      });
      if (outcome.kind !== "committed") continue;
      if (known === undefined) this.#count++;
      return true;
    }
    return false;
  }

  /** Gives the lock up. Resolves to whether it was taken. Rejects as `acquire` does. */
  async release(name: LockName): Promise<boolean> {
    const key = recordKeyOf(name);
    for (let tries = 1; tries <= TRIES_MAX; tries++) {
      this.#store.checkRead();
      const known = this.#store.copy.get(key);
      if (known === undefined) return false;
      const wasTaken = readLock(known).endMs > this.#nowMs();
      const outcome = await this.#store.copy.commit({
        conditions: [{ kind: "revision", key, revision: known.revision }],
        operations: [{ kind: "delete", key }],
      });
      if (outcome.kind === "committed") return wasTaken;
    }
    return false;
  }

  /** A lock that was taken again meanwhile keeps the others, too, until the next time. */
  #remove(over: readonly StoredRecord[]): void {
    for (let at = 0; at < over.length; at += REMOVED_AT_ONCE) {
      const some = over.slice(at, at + REMOVED_AT_ONCE);
      const conditions = some.map(({ key, revision }) => ({ kind: "revision", key, revision }) as const);
      const operations = some.map(({ key }) => ({ kind: "delete", key }) as const);
      this.#store.copy.commit({ conditions, operations }).catch((error: unknown) => {
        if (!(error instanceof RegistryError)) throw error;
      });
    }
  }
}

function recordKeyOf({ type, key }: LockName): string {
  if (type !== LOCK_TYPE)
    throw fail("FIELD_INVALID", { field: "lockType", value: type.slice(0, 100), expected: LOCK_TYPE });
  if (key === "" || key.length > KEY_CHARS_MAX) {
    const expected = `a name of 1 to ${KEY_CHARS_MAX} characters`;
    throw fail("FIELD_INVALID", { field: "key", value: key.slice(0, 100), expected });
  }
  return `${LOCK_PREFIX}${type}/${encodeURIComponent(key)}`;
}
