// The origin of each key's value: a flag beats the environment, which beats the config file, which beats the default.
// Any setting that is not understood stops the start: a mistyped limit must not silently stay at its default.

import { readFileSync } from "node:fs";
import { fail } from "../../base/errors.ts";
import { camelCase, type SettingValue } from "../../base/keySpec.ts";
import { describeAllowed } from "../../base/parseSetting.ts";
import { checkTls } from "./checkTls.ts";
import { environmentName, nearestName } from "./names.ts";
import { checkNodeRoles } from "./nodeRoles.ts";
import { parseValue } from "./parseValue.ts";
import { CONFIG_KEYS, type Config, type ConfigKey, specOf } from "./table.ts";

/** The settings of the command line and the environment. */
export interface ConfigSources {
  /** By key without the dashes: `{ "http-port": "9603" }`. `config` names the config file. */
  readonly flags: Readonly<Record<string, string | boolean | undefined>>;
  /** The process environment; only names with ROSTER_ are read. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** The effective configuration, with the origin of each key's value: `flag --http-port`. */
export interface LoadedConfig {
  readonly config: Config;
  readonly origins: ReadonlyMap<ConfigKey, string>;
}

interface Given {
  readonly raw: unknown;
  readonly origin: string;
}

type Layer = ReadonlyMap<ConfigKey, Given>;

// `--config` names the file with other keys; it is not a row of the table, since it can't come from the file itself.
const FILE_FLAG = "config";

/** The effective configuration. Throws CONFIG_INVALID with the key, the value, its origin and the allowed values. */
export function loadConfig(sources: ConfigSources): LoadedConfig {
  const file = sources.flags[FILE_FLAG] ?? sources.environment[environmentName(FILE_FLAG)];
  const layers = [
    flagLayer(sources.flags),
    environmentLayer(sources.environment),
    typeof file === "string" && file !== "" ? fileLayer(file) : new Map(),
  ];
  const values = new Map<ConfigKey, SettingValue>();
  const origins = new Map<ConfigKey, string>();
  for (const key of CONFIG_KEYS) {
    const given = firstGiven(layers, key);
    values.set(key, checked(key, given));
    origins.set(key, given.origin);
  }
  const config = assemble(values);
  checkNodeRoles(config);
  checkTls(config);
  return { config, origins };
}

/** Shown in place of a value that may hold a password. */
export const HIDDEN = "(hidden)";

/** Whether a key's value may hold a password. */
export function isSecret(key: ConfigKey): boolean {
  const spec = specOf(key);
  return spec.type === "string" && spec.isSecret === true;
}

/** The default configuration with some properties changed, for tests and for programs that embed the server. */
export function configWith(changes: Partial<Config> = {}): Config {
  const { config } = loadConfig({ flags: {}, environment: {} });
  return { ...config, ...changes };
}

function firstGiven(layers: readonly Layer[], key: ConfigKey): Given {
  for (const layer of layers) {
    const given = layer.get(key);
    if (given !== undefined) return given;
  }
  return { raw: specOf(key).default, origin: "default" };
}

function checked(key: ConfigKey, given: Given): SettingValue {
  const spec = specOf(key);
  const value = parseValue(spec, given.raw);
  if (value === undefined) {
    const shownValue = isSecret(key) ? HIDDEN : shown(given.raw);
    throw fail("CONFIG_INVALID", { key, value: shownValue, from: given.origin, allowed: describeAllowed(spec) });
  }
  return value;
}

function flagLayer(flags: ConfigSources["flags"]): Layer {
  const layer = new Map<ConfigKey, Given>();
  for (const [name, raw] of Object.entries(flags)) {
    if (raw === undefined || name === FILE_FLAG) continue;
    const origin = `flag --${name}`;
    layer.set(knownKey(name, origin), { raw, origin });
  }
  return layer;
}

// Kubernetes puts such variables into every container that runs beside a service named "roster" or "roster-clients".
// None is meant for us, and ROSTER_HTTP_PORT=tcp://10.0.0.1:9603 would even look like a key of ours.
const KUBERNETES_NAME = /^ROSTER_(.+_)?(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$/;
const KUBERNETES_VALUE = /^(tcp|udp|sctp):\/\//;

// The commands to running nodes read these; a shell that has them may start a server too.
const COMMAND_NAMES: ReadonlySet<string> = new Set(["ROSTER_URL", "ROSTER_CONTEXT"]);

function environmentLayer(environment: ConfigSources["environment"]): Layer {
  const layer = new Map<ConfigKey, Given>();
  for (const [name, raw] of Object.entries(environment)) {
    // An empty variable counts as none: `ROSTER_ZONE=${ZONE:-}` in a compose file results in one.
    if (!name.startsWith("ROSTER_") || raw === undefined || raw === "") continue;
    if (name === environmentName(FILE_FLAG) || COMMAND_NAMES.has(name)) continue;
    if (KUBERNETES_NAME.test(name) || KUBERNETES_VALUE.test(raw)) continue;
    const origin = `environment ${name}`;
    const key = CONFIG_KEYS.find((candidate) => environmentName(candidate) === name);
    layer.set(key ?? knownKey(name.slice("ROSTER_".length).toLowerCase().replaceAll("_", "-"), origin), {
      raw,
      origin,
    });
  }
  return layer;
}

function fileLayer(path: string): Layer {
  const origin = `file ${path}`;
  const content = parseFile(path);
  if (typeof content !== "object" || content === null || Array.isArray(content)) {
    throw fail("CONFIG_INVALID", { from: origin, allowed: 'a JSON object such as { "http-port": 9603 }' });
  }
  return new Map(Object.entries(content).map(([name, raw]) => [knownKey(name, origin), { raw, origin }]));
}

function parseFile(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw fail("CONFIG_INVALID", {
      from: `file ${path}`,
      reason: error instanceof Error ? error.message : String(error),
    });
  }
}

function knownKey(name: string, origin: string): ConfigKey {
  const key = CONFIG_KEYS.find((candidate) => candidate === name);
  if (key !== undefined) return key;
  const nearest = nearestName(name, CONFIG_KEYS);
  throw fail("CONFIG_INVALID", { key: name, from: origin, ...(nearest === undefined ? {} : { nearest }) });
}

function assemble(values: ReadonlyMap<ConfigKey, SettingValue>): Config {
  const entries = [...values].map(([key, value]) => [camelCase(key), value]);
  // Each value was parsed by the row that the property's type is derived from.
  return Object.fromEntries(entries) as Config;
}

function shown(raw: unknown): string {
  return typeof raw === "string" ? raw : JSON.stringify(raw);
}
