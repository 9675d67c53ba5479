import { camelCase } from "../base/keySpec.ts";
import { type ConfigSources, HIDDEN, isSecret, loadConfig } from "../server/config/load.ts";
import { settingsInForce } from "../server/config/settingsInForce.ts";
import { CONFIG_KEYS } from "../server/config/table.ts";
import { aligned } from "./aligned.ts";

/** `roster settings`: every key with its value, the value in force on this machine, and its origin. */
export function printConfig(sources: ConfigSources, form: "table" | "json"): void {
  const { config, origins } = loadConfig(sources);
  const inForce = settingsInForce(config);
  const rows = CONFIG_KEYS.map((key) => {
    const value = config[camelCase(key)];
    const shown = isSecret(key) && value !== "" ? HIDDEN : value;
    return { key, value: shown, inForce: inForce.get(key), from: origins.get(key) ?? "default" };
  });
  if (form === "json") {
    const byKey = Object.fromEntries(rows.map(({ key, ...rest }) => [key, rest]));
    console.log(JSON.stringify(byKey, undefined, 2));
    return;
  }
  const cells = [
    ["KEY", "VALUE", "IN FORCE", "FROM"],
    ...rows.map(({ key, value, inForce: own, from }) => [key, String(value), String(own ?? value), from]),
  ];
  for (const line of aligned(cells)) console.log(line);
}
