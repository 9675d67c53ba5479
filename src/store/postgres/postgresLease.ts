// The lease of leadership in PostgreSQL: one row. Time is the database's: each statement reads clock_timestamp() when
// it looks at the lease, not when it began to wait for it. A commit that demands the lease locks the row first, as a
// node that takes the lease must. So a deposed leader's commit either comes before its successor takes the lease, and
// is seen by it, or is not made. Every statement that locks both locks the lease first and then the head of the
// records.

import { assert } from "../../base/assert.ts";
import { type NodeId, nodeId } from "../../model/ids.ts";
import type { LeaderLease, LeaseCandidate } from "../../records/records.ts";
import { DamagedColumn, type Row, readBigint, readNumber, readText, textColumn } from "../columns.ts";
import type { Ask } from "./connection.ts";
import type { Connections } from "./connections.ts";

const LEASE_COLUMNS = `held.epoch, held.holder_json, held.address_json, held.lease_ms,
  floor(extract(epoch FROM held.ends_at - clock_timestamp()) * 1000)::bigint AS remaining_ms`;

// No row comes back if another node holds it. $4: the last epoch that this process had. After a failover to a copy that
// lagged behind, the stored one may be lower.
const ACQUIRE_LEASE = `
  INSERT INTO leader_lease AS held (id, epoch, holder_json, address_json, lease_ms, ends_at)
  VALUES (1, $4::bigint + 1, $1, $2, $3::bigint, clock_timestamp() + $3::bigint * interval '1 millisecond')
  ON CONFLICT (id) DO UPDATE SET
    epoch = CASE WHEN held.holder_json = excluded.holder_json AND held.ends_at > clock_timestamp()
      THEN held.epoch ELSE greatest(held.epoch, $4::bigint) + 1 END,
    holder_json = excluded.holder_json,
    address_json = excluded.address_json,
    lease_ms = excluded.lease_ms,
    ends_at = clock_timestamp() + excluded.lease_ms * interval '1 millisecond'
  WHERE held.holder_json = excluded.holder_json OR held.ends_at <= clock_timestamp()
  RETURNING ${LEASE_COLUMNS}`;

const READ_LEASE = `SELECT ${LEASE_COLUMNS} FROM leader_lease AS held`;

const SHORTEN_LEASE = `
  UPDATE leader_lease SET ends_at = clock_timestamp() + lease_ms * interval '1 millisecond'
  WHERE ends_at > clock_timestamp() + lease_ms * interval '1 millisecond'`;

const RELEASE_LEASE = `
  UPDATE leader_lease SET ends_at = clock_timestamp()
  WHERE epoch = $1 AND holder_json = $2 AND ends_at > clock_timestamp()`;

// A process whose database has lost changes gives up a lease that it has there: it must load everything again.
const IS_BEHIND = "SELECT 1 FROM record_head WHERE revision < $1::bigint";
const END_LEASE = "UPDATE leader_lease SET ends_at = clock_timestamp() WHERE holder_json = $1";
const RAISE = "SELECT record_raise($1::bigint)";

export class PostgresLease {
  readonly #connections: Connections;
  /**
   * The last lease given to this store. Epochs alone would do if databases never lost confirmed writes; but after a
   * failover to a copy that lagged behind, an epoch may be given a second time, to another node.
   */
  #lease: { readonly epoch: bigint; readonly holder: NodeId } | undefined;

  constructor(connections: Connections) {
    this.#connections = connections;
  }

  /** `seen`: the newest revision that this process has seen. */
  async acquire(candidate: LeaseCandidate, leaseMs: number, seen: bigint): Promise<LeaderLease> {
    assert(leaseMs > 0, "a lease has a time");
    return this.#connections.use(async (ask) => {
      const holder = asciiColumn(candidate.holder);
      if ((await ask(IS_BEHIND, seen)).rows.length > 0) {
        await ask(END_LEASE, holder);
        await ask(RAISE, seen);
      }
      const values = [holder, asciiColumn(candidate.address), Math.ceil(leaseMs), this.#lease?.epoch ?? 0n];
      const [taken] = (await ask(ACQUIRE_LEASE, ...values)).rows;
      if (taken === undefined) return heldByAnother(ask);
      const lease = readLease(taken);
      this.#lease = lease;
      return lease;
    });
  }

  async release(epoch: bigint): Promise<void> {
    await this.#connections.use((ask) => ask(RELEASE_LEASE, epoch, this.holderOf(epoch)));
  }

  /** The holder of a lease as stored; null, which nothing equals, for an epoch that was never given to this store. */
  holderOf(epoch: bigint): string | null {
    return this.#lease?.epoch === epoch ? asciiColumn(this.#lease.holder) : null;
  }
}

/**
 * The lease of another holder. If the database's clock was set back, the lease seems to last longer than any that is
 * given. It is then shortened to a whole one from now; otherwise no node could follow a dead leader until the clock has
 * caught up.
 */
async function heldByAnother(ask: Ask): Promise<LeaderLease> {
  const [row] = (await ask(READ_LEASE)).rows;
  if (row === undefined) throw new DamagedColumn("table leader_lease has no row");
  const held = readLease(row);
  const leaseMs = readNumber(row, "lease_ms");
  if (held.remainingMs <= leaseMs) return held;
  await ask(SHORTEN_LEASE);
  return { ...held, remainingMs: leaseMs };
}

function readLease(row: Row): LeaderLease {
  return {
    epoch: readBigint(row, "epoch"),
    holder: nodeId(readText(row, "holder_json")),
    address: readText(row, "address_json"),
    remainingMs: Number(readBigint(row, "remaining_ms")),
  };
}

/** Text in its stored form: JSON, with everything beyond ASCII by its number. */
function asciiColumn(text: string): string {
  return textColumn(text).replace(/[^ -~]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
