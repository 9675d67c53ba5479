// `roster export` and `roster import`: all configuration values as one file. An import sets what differs, each value
// only if it still is as it was read a moment before, so that two operators do not undo each other unseen.

import { getConfig, listConfigs, putConfig } from "../admin/operations/configs.ts";
import type { Json } from "../admin/schema.ts";
import { fail, RegistryError } from "../base/errors.ts";
import { visible } from "../base/visible.ts";
import { aligned } from "./aligned.ts";
import { askAllPages } from "./allPages.ts";
import type { NodeClient } from "./nodeClient.ts";
import { encoded, type Row } from "./output.ts";
import { Progress } from "./progress.ts";

const FORMAT = "roster-export-1";

interface ExportedValue {
  readonly key: string;
  readonly data: string;
}

/** Prints all values. */
export async function exportValues(client: NodeClient): Promise<void> {
  const listed = (await askAllPages(client, listConfigs, {}))["items"] as readonly Row[];
  const progress = new Progress();
  const configs: Json[] = [];
  try {
    for (const [at, { key }] of listed.entries()) {
      progress.report(`${at} of ${listed.length} values read`);
      const { data, version } = await client.ask(getConfig, { key });
      configs.push({ key: key ?? "", version: version ?? "", data: data ?? "" });
    }
  } finally {
    progress.end();
  }
  console.log(encoded({ format: FORMAT, configs }, "json"));
}

export interface Import {
  /** The content of a file that `export` wrote, and its name. */
  readonly text: string;
  readonly file: string;
  readonly isPreview: boolean;
  readonly output: "table" | "json" | "yaml";
}

/** Sets the values of a file, and prints what became of each. Rejects with the first refusal after all were tried. */
export async function importValues(client: NodeClient, { text, file, isPreview, output }: Import): Promise<void> {
  const values = readExport(text, file);
  const progress = new Progress();
  const rows: { readonly key: string; readonly result: string }[] = [];
  let refused: RegistryError | undefined;
  try {
    for (const [at, value] of values.entries()) {
      progress.report(`${at} of ${values.length} values imported`);
      const result = await importValue(client, value, isPreview).catch((error: unknown) => {
        if (!(error instanceof RegistryError) || error.code === "NODE_UNREACHABLE") throw error;
        refused ??= error;
        return `refused: ${error.message}`;
      });
      rows.push({ key: value.key, result });
    }
  } finally {
    progress.end();
  }
  if (output !== "table") console.log(encoded(rows, output));
  else
    for (const line of aligned([["KEY", "RESULT"], ...rows.map(({ key, result }) => [key, result])]))
      console.log(visible(line));
  if (refused !== undefined) throw refused;
}

async function importValue(client: NodeClient, { key, data }: ExportedValue, preview: boolean): Promise<string> {
  const present = await presentValue(client, key);
  if (present?.data === data) return "unchanged";
  await client.ask(putConfig, { key, data, preview, ifVersion: present?.version ?? "0" });
  const done = present === undefined ? "added" : "changed";
  return preview ? `would be ${done}` : done;
}

async function presentValue(client: NodeClient, key: string): Promise<{ data: string; version: string } | undefined> {
  try {
    const { data, version } = await client.ask(getConfig, { key });
    return { data: String(data), version: String(version) };
  } catch (error) {
    if (error instanceof RegistryError && error.code === "CONFIG_VALUE_UNKNOWN") return undefined;
    throw error;
  }
}

/** Everything is checked before anything is set. Throws FILE_UNUSABLE. */
function readExport(text: string, file: string): readonly ExportedValue[] {
  const unusable = (reason: string) => fail("FILE_UNUSABLE", { file, reason });
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch (error) {
    throw unusable(`it is not in JSON: ${error instanceof Error ? error.message : error}`);
  }
  const { format, configs } = (read ?? {}) as { format?: unknown; configs?: unknown };
  if (format !== FORMAT) throw unusable(`its format is not ${FORMAT}: \`roster export\` writes such files`);
  if (!Array.isArray(configs)) throw unusable("it has no list `configs`");
  for (const [at, value] of configs.entries()) {
    const { key, data } = (value ?? {}) as { key?: unknown; data?: unknown };
    if (typeof key !== "string" || typeof data !== "string")
      throw unusable(`configs[${at}] needs the texts key and data`);
  }
  return configs as readonly ExportedValue[];
}
