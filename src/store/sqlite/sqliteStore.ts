// The embedded store: one SQLite file, roster.db, in the data directory. It writes through to the disk before it
// answers (WAL, synchronous FULL: 0.2 to 1 ms a write), so that a power cut takes nothing that was acknowledged.

import { randomUUID } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { assert, defined } from "../../base/assert.ts";
import type { NodeStore } from "../../data/nodeStore.ts";
import type { ConfigValue } from "../../messages/membership.ts";
import type { Cluster, MetaState, MetaStore } from "../../meta/metaStore.ts";
import { brandDataInfoId, type DataInfoId, type NodeId, nodeId } from "../../model/ids.ts";
import type { SlotTable } from "../../model/slot.ts";
import {
  DamagedColumn,
  type Row,
  readBigint,
  readMaybeText,
  readNumber,
  readSlots,
  readText,
  slotsColumn,
  textColumn,
} from "./columns.ts";
import { lockDataDir } from "./dataDirLock.ts";
import { guarded } from "./failure.ts";
import { migrate } from "./schema.ts";
import { inTransaction } from "./transaction.ts";

/**
 * Opens the store of a data directory, which is made if it is missing. Throws DATA_DIR_IN_USE if another process works
 * on it, STORE_SCHEMA_NEWER if a newer release has written it, and STORE_UNAVAILABLE for everything else.
 */
export async function openSqliteStore(dataDir: string): Promise<MetaStore & NodeStore> {
  const file = join(dataDir, "roster.db");
  return guarded(file, () => {
    // Only we may read it: stored configuration can hold what its owners would not show to everybody.
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    const unlock = lockDataDir(dataDir);
    try {
      return new SqliteStore(file, openDatabase(file), unlock);
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

class SqliteStore implements MetaStore, NodeStore {
  readonly #file: string;
  readonly #database: DatabaseSync;
  readonly #unlock: () => void;
  #closed = false;

  constructor(file: string, database: DatabaseSync, unlock: () => void) {
    this.#file = file;
    this.#database = database;
    this.#unlock = unlock;
  }

  async loadAll(): Promise<MetaState> {
    return guarded(this.#file, () => {
      const cluster = this.#rows("SELECT name_json, slot_count FROM cluster").map(readCluster)[0];
      const slotTable = this.#rows("SELECT epoch, slots_json FROM slot_table").map(readSlotTable)[0];
      const configs = this.#rows("SELECT data_info_id_json, version, data_json FROM config").map(readConfig);
      return { cluster, slotTable, configs: new Map(configs.map((config) => [config.dataInfoId, config])) };
    });
  }

  async saveCluster(cluster: Cluster): Promise<Cluster> {
    return guarded(this.#file, () => {
      const sql = "INSERT OR IGNORE INTO cluster (id, name_json, slot_count) VALUES (1, ?, ?)";
      this.#change(sql, textColumn(cluster.name), cluster.slotCount);
      const stored = this.#rows("SELECT name_json, slot_count FROM cluster").map(readCluster)[0];
      return defined(stored, "a cluster that was just written is there");
    });
  }

  async saveSlotTable(table: SlotTable, expectedEpoch: bigint | undefined): Promise<boolean> {
    assert(expectedEpoch === undefined || table.epoch > expectedEpoch, "a slot table never goes back");
    return guarded(this.#file, () => {
      const slots = slotsColumn(table.slots);
      if (expectedEpoch === undefined) {
        const sql = "INSERT OR IGNORE INTO slot_table (id, epoch, slots_json) VALUES (1, ?, ?)";
        return this.#change(sql, table.epoch, slots);
      }
      const sql = "UPDATE slot_table SET epoch = ?, slots_json = ? WHERE epoch = ?";
      return this.#change(sql, table.epoch, slots, expectedEpoch);
    });
  }

  async putConfig(config: ConfigValue): Promise<boolean> {
    return guarded(this.#file, () => {
      const sql = `INSERT INTO config (data_info_id_json, version, data_json) VALUES (?, ?, ?)
        ON CONFLICT DO UPDATE SET version = excluded.version, data_json = excluded.data_json
        WHERE excluded.version > version`;
      return this.#change(sql, textColumn(config.dataInfoId), config.version, textColumn(config.data));
    });
  }

  nodeId(): NodeId {
    const id = guarded(this.#file, () => this.#nodeRow()["node_id"]);
    assert(typeof id === "string", "the column is declared as text");
    return nodeId(id);
  }

  loadVersionFloor(): bigint {
    return guarded(this.#file, () => {
      const floor = readBigint(this.#nodeRow(), "version_floor");
      if (floor < 0n) throw new DamagedColumn("version_floor is negative");
      return floor;
    });
  }

  saveVersionFloor(floor: bigint): void {
    const sql = "UPDATE node SET version_floor = ? WHERE version_floor < ?";
    guarded(this.#file, () => this.#change(sql, floor, floor));
  }

  loadServiceSizes(): ReadonlyMap<DataInfoId, number> {
    return guarded(this.#file, () => {
      const rows = this.#rows("SELECT data_info_id_json, publishers FROM service_size");
      return new Map(rows.map((row) => [readKey(row), readNumber(row, "publishers")]));
    });
  }

  saveServiceSizes(changed: ReadonlyMap<DataInfoId, number>): void {
    if (changed.size === 0) return;
    guarded(this.#file, () => {
      const put = this.#statement("INSERT OR REPLACE INTO service_size (data_info_id_json, publishers) VALUES (?, ?)");
      const forget = this.#statement("DELETE FROM service_size WHERE data_info_id_json = ?");
      inTransaction(this.#database, () => {
        for (const [dataInfoId, size] of changed) {
          if (size === 0) forget.run(textColumn(dataInfoId));
          else put.run(textColumn(dataInfoId), size);
        }
      });
    });
  }

  async close(): Promise<void> {
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
    if (row === undefined) throw new DamagedColumn("the node's own row is missing");
    return row;
  }

  #rows(sql: string): readonly Row[] {
    return this.#statement(sql).all();
  }

  /** Runs a statement that writes; true if it changed anything. */
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

function readCluster(row: Row): Cluster {
  return { name: readText(row, "name_json"), slotCount: readNumber(row, "slot_count") };
}

function readSlotTable(row: Row): SlotTable {
  return { epoch: readBigint(row, "epoch"), slots: readSlots(row, "slots_json") };
}

function readConfig(row: Row): ConfigValue {
  return { dataInfoId: readKey(row), version: readBigint(row, "version"), data: readMaybeText(row, "data_json") };
}

function readKey(row: Row): DataInfoId {
  return brandDataInfoId(readText(row, "data_info_id_json"));
}
