// The configuration table as command-line flags. Commander only collects them as text. Types and ranges are checked
// where the environment and the file are, so that every source is refused in the same words.

import { type Command, Option } from "commander";
import { camelCase } from "../base/keySpec.ts";
import { describeAllowed } from "../base/parseSetting.ts";
import { CONFIG_KEYS, type ConfigKey, specOf } from "../server/config/table.ts";

/** Adds a flag for each key to a command, grouped by section, and `--config FILE`. */
export function addConfigFlags(command: Command): Command {
  command.option("--config <file>", "read keys from a JSON file; flags and environment (ROSTER_BOLT_PORT) beat it");
  for (const key of CONFIG_KEYS) command.addOption(flagOf(key));
  return command.configureHelp({ helpWidth: 100 }).showHelpAfterError("(--help lists the flags)");
}

/** The flags that were given, by key. */
export function configFlags(command: Command): Record<string, string | boolean | undefined> {
  const options: Record<string, string | boolean | undefined> = command.opts();
  const given = ["config", ...CONFIG_KEYS].map((key) => [key, options[camelCase(key)]] as const);
  return Object.fromEntries(given.filter(([, value]) => value !== undefined));
}

function flagOf(key: ConfigKey): Option {
  const spec = specOf(key);
  // `--insecure` alone means true; `--push-compress false` turns off a default.
  const flag = spec.type === "boolean" ? `--${key} [boolean]` : `--${key} <value>`;
  const byDefault = String(spec.default) === "" ? "" : `; default ${spec.default}`;
  return new Option(flag, `${spec.about} (${describeAllowed(spec)}${byDefault})`).helpGroup(`${spec.section}:`);
}
