// The tables of the role meta become records. Keys and values have the form that meta/metaRecords.ts had when this was
// released; like every step, this one is never edited afterwards.

import { createHash } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import { type Row, readTable, readText, readVersion } from "../columns.ts";

/** Writes everything of the four tables as records of revision 1, and drops the tables. */
export function carryOver(database: DatabaseSync): void {
  const rows = (sql: string): readonly Row[] => {
    const statement = database.prepare(sql);
    statement.setReadBigInts(true);
    return statement.all();
  };
  const insert = database.prepare(
    "INSERT INTO record_version (key, revision, created_revision, value, until) VALUES (?, 1, 1, ?, NULL)",
  );
  const put = (key: string, json: string) => void insert.run(key, Buffer.from(ascii(json)));

  readTable("cluster", rows("SELECT name_json, slot_count FROM cluster"), (row) =>
    put("meta/cluster", `{"name":${row["name_json"]},"slotCount":${row["slot_count"]}}`),
  );
  readTable("slot_table", rows("SELECT epoch, slots_json FROM slot_table"), (row) =>
    put("meta/slot-table", `{"epoch":"${row["epoch"]}","slots":${row["slots_json"]}}`),
  );
  readTable("config", rows("SELECT data_info_id_json, version, data_json FROM config"), (row) => {
    const name = nameOf(row, "data_info_id_json");
    const version = readVersion(row, "version");
    put(
      `meta/config/${name}`,
      `{"serviceKey":${row["data_info_id_json"]},"version":"${version}","data":${row["data_json"]}}`,
    );
  });
  readTable("blocked_node", rows("SELECT name_json FROM blocked_node"), (row) =>
    put(`meta/blocked-node/${nameOf(row, "name_json")}`, `{"node":${row["name_json"]}}`),
  );
  database.exec(`
    UPDATE record_head SET revision = 1 WHERE EXISTS (SELECT 1 FROM record_version);
    DROP TABLE cluster; DROP TABLE slot_table; DROP TABLE config; DROP TABLE blocked_node;
  `);
}

const NAME_CHARS_MAX = 1_000;

/** The part of a key for a text: its JSON in ASCII, or the digest of a long one. */
function nameOf(row: Row, column: string): string {
  const text = ascii(JSON.stringify(readText(row, column)));
  return text.length <= NAME_CHARS_MAX ? text : `sha256:${createHash("sha256").update(text).digest("hex")}`;
}

function ascii(json: string): string {
  return json.replace(/[^ -~]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
