// The embedded store: one SQLite file, roster.db, in the data directory. It writes through to the disk before it
// answers (WAL, synchronous FULL: 0.2 to 1 ms a write), so that a power cut loses nothing that was acknowledged.

import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { assert, defined } from "../../base/assert.ts";
import type { NodeStore } from "../../data/nodeStore.ts";
import { brandServiceKey, isNodeId, type NodeId, nodeId, type ServiceKey } from "../../model/ids.ts";
import type { Records } from "../../records/records.ts";
import {
  DamagedColumn,
  damaged,
  type Row,
  readNumber,
  readTable,
  readText,
  readVersion,
  textColumn,
} from "../columns.ts";
import { LocalLease, type NowMs } from "../localLease.ts";
import { guarded, guardedOpening } from "./failure.ts";
import { inTransaction } from "./inTransaction.ts";
import { lockDataDir } from "./lockDataDir.ts";
import { migrate } from "./schema.ts";
import { SqliteRecords } from "./sqliteRecords.ts";

export interface SqliteStoreOptions {
  /** The clock for the end of the leader's lease. */
  readonly nowMs?: NowMs;
}

/**
 * Opens the store of a data directory, which is made if it is missing. Throws DATA_DIR_IN_USE if another process works
 * on it, STORE_SCHEMA_NEWER if a newer release has written it, STORE_DAMAGED if it is not a database, DATA_DIR_UNUSABLE
 * if this user can't use the directory, and STORE_UNAVAILABLE for everything else.
 */
export async function openSqliteStore(
  dataDir: string,
  { nowMs = () => performance.now() }: SqliteStoreOptions = {},
): Promise<SqliteStore> {
  const file = join(dataDir, "roster.db");
  return guardedOpening(file, () => {
    // Only this user may read it: stored configuration can hold values that its owners would not show to everyone.
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    const unlock = lockDataDir(dataDir);
    try {
      return new SqliteStore(file, openDatabase(file), { unlock, lease: new LocalLease(nowMs) });
    } catch (error) {
      unlock();
      throw error;
    }
  });
}

function openDatabase(file: string): DatabaseSync {
  const database = new DatabaseSync(file);
  try {
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    migrate(database);
    database.prepare("INSERT OR IGNORE INTO node (id, node_id, version_floor) VALUES (1, ?, 0)").run(randomUUID());
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

// Ten times the capacity of a whole cluster. A larger size would hold its service back after each restart.
const PUBLISHERS_MAX = 10_000_000;

/** The node's own store and the cluster's records, in one file. Closing one of them closes both. */
export class SqliteStore implements NodeStore {
  readonly records: Records;
  readonly #file: string;
  readonly #database: DatabaseSync;
  readonly #unlock: () => void;
  #closed = false;

  constructor(file: string, database: DatabaseSync, own: { readonly lease: LocalLease; readonly unlock: () => void }) {
    this.#file = file;
    this.#database = database;
    this.#unlock = own.unlock;
    this.records = new SqliteRecords({ file, database, lease: own.lease, close: () => this.#close() });
  }

  nodeId(): NodeId {
    const id = guarded(this.#file, () => this.#nodeRow()["node_id"]);
    assert(typeof id === "string", "the column is declared as text");
    if (!isNodeId(id)) throw damaged({ file: this.#file }, new DamagedColumn("table node, row 1: node_id is no name"));
    return nodeId(id);
  }

  loadVersionFloor(): bigint {
    return guarded(this.#file, () => {
      const [floor] = readTable("node", [this.#nodeRow()], (row) => readVersion(row, "version_floor"));
      return defined(floor, "a row gives a value");
    });
  }

  saveVersionFloor(floor: bigint): void {
    const sql = "UPDATE node SET version_floor = ? WHERE version_floor < ?";
    guarded(this.#file, () => this.#change(sql, floor, floor));
  }

  loadServiceSizes(): ReadonlyMap<ServiceKey, number> {
    return guarded(this.#file, () => {
      const rows = this.#rows("SELECT data_info_id_json, publishers FROM service_size");
      return new Map(readTable("service_size", rows, readServiceSize));
    });
  }

  saveServiceSizes(changed: ReadonlyMap<ServiceKey, number>): void {
    if (changed.size === 0) return;
    guarded(this.#file, () => {
      const put = this.#statement("INSERT OR REPLACE INTO service_size (data_info_id_json, publishers) VALUES (?, ?)");
      const forget = this.#statement("DELETE FROM service_size WHERE data_info_id_json = ?");
      inTransaction(this.#database, () => {
        for (const [serviceKey, size] of changed) {
          if (size === 0) forget.run(textColumn(serviceKey));
          else put.run(textColumn(serviceKey), size);
        }
      });
    });
  }

  async close(): Promise<void> {
    await this.records.close();
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    guarded(this.#file, () => {
      try {
        this.#database.close();
      } finally {
        this.#unlock();
      }
    });
  }

  #nodeRow(): Row {
    const row = this.#rows("SELECT node_id, version_floor FROM node")[0];
    if (row === undefined) throw new DamagedColumn("table node has no row");
    return row;
  }

  #rows(sql: string): readonly Row[] {
    return this.#statement(sql).all();
  }

  /** Runs a writing statement; true if it changed anything. */
  #change(sql: string, ...values: readonly SQLInputValue[]): boolean {
    return this.#statement(sql).run(...values).changes !== 0n;
  }

  #statement(sql: string): StatementSync {
    const statement = this.#database.prepare(sql);
    // Versions and epochs are 64-bit; as a JavaScript number SQLite would round them.
    statement.setReadBigInts(true);
    return statement;
  }
}

function readServiceSize(row: Row): readonly [ServiceKey, number] {
  return [readKey(row), readNumber(row, "publishers", PUBLISHERS_MAX)];
}

function readKey(row: Row): ServiceKey {
  return brandServiceKey(readText(row, "data_info_id_json"));
}
