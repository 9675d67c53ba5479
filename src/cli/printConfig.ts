import { type ConfigSources, HIDDEN, loadConfig } from "../server/config/load.ts";
import { camelCase } from "../server/config/names.ts";
import { CONFIG_KEYS, type ConfigKey, specOf } from "../server/config/table.ts";
import { aligned } from "./aligned.ts";

/** `roster config`: every key with its effective value and where that came from. */
export function printConfig(sources: ConfigSources, form: "table" | "json"): void {
  const { config, origins } = loadConfig(sources);
  const rows = CONFIG_KEYS.map((key) => {
    const value = config[camelCase(key)];
    return { key, value: isSecret(key) && value !== "" ? HIDDEN : value, from: origins.get(key) ?? "default" };
  });
  if (form === "json") {
    const byKey = Object.fromEntries(rows.map(({ key, ...rest }) => [key, rest]));
    console.log(JSON.stringify(byKey, undefined, 2));
    return;
  }
  const cells = [["KEY", "VALUE", "FROM"], ...rows.map(({ key, value, from }) => [key, String(value), from])];
  for (const line of aligned(cells)) console.log(line);
}

function isSecret(key: ConfigKey): boolean {
  const spec = specOf(key);
  return spec.type === "string" && spec.isSecret === true;
}
