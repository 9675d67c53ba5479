import { type ConfigSources, loadConfig } from "../server/config/load.ts";
import { camelCase } from "../server/config/names.ts";
import { CONFIG_KEYS } from "../server/config/table.ts";

/** `roster config`: every key with its effective value and where that came from. */
export function printConfig(sources: ConfigSources, form: "table" | "json"): void {
  const { config, origins } = loadConfig(sources);
  const rows = CONFIG_KEYS.map((key) => ({ key, value: config[camelCase(key)], from: origins.get(key) ?? "default" }));
  if (form === "json") {
    const byKey = Object.fromEntries(rows.map(({ key, ...rest }) => [key, rest]));
    console.log(JSON.stringify(byKey, undefined, 2));
    return;
  }
  const cells = [["KEY", "VALUE", "FROM"], ...rows.map(({ key, value, from }) => [key, String(value), from])];
  for (const line of aligned(cells)) console.log(line);
}

function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  "));
}
