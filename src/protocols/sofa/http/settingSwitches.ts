// SOFARegistry's switches that change settings of the whole cluster while it runs. Each is a rule with the name of its
// switch, whose settings are Roster's; a query translates them back.

import { fail } from "../../../base/errors.ts";
import type { DynamicKey, DynamicValues } from "../../../model/dynamicKeys.ts";
import type { Rule } from "../../../model/rule.ts";
import type { RuleSet } from "../../../model/ruleSet.ts";
import { PUSH_COMPRESSIONS, type PushCompression } from "../variant.ts";
import { fieldsOf, isPushStopped, type RuleSwitch, readJson, readStrings, type SwitchRule } from "./ruleSwitches.ts";

/** The names of the switches, which are the ids of their rules. */
export const COMPRESS_PUSH = "compress.push.switch";
export const PUSH_DELAY = "change_push_task.delay.config";
export const SESSION_LEASE = "data.session.lease.sec";
export const SHUTDOWN = "session.shutdown.switch";
export const SYNC_INTERVAL = "data.datum.sync.session.interval.sec";

const SWITCHES: Readonly<Record<string, RuleSwitch>> = {
  [COMPRESS_PUSH]: settingSwitch(COMPRESS_PUSH, {
    shown: (settings) => JSON.stringify(compressPushOf(settings)),
    read: (value) => ({ settings: readCompressPush(readJson(COMPRESS_PUSH, value)) }),
  }),
  [PUSH_DELAY]: settingSwitch(PUSH_DELAY, {
    shown: (settings, { match }) =>
      JSON.stringify({
        changeDebouncingMaxMillis: Number(settings.get("push-window-max-ms")),
        zoneSet: match.zones ?? [ALL_ZONES],
      }),
    read: (value) => readPushDelay(readJson(PUSH_DELAY, value)),
  }),
  [SESSION_LEASE]: secondsSwitch(SESSION_LEASE, "session-lease-ms"),
  [SHUTDOWN]: {
    ids: [SHUTDOWN],
    shown: (rules) => {
      const isShut = rules.get(SHUTDOWN)?.isInForce;
      return isShut === undefined ? undefined : JSON.stringify(isShut ? FORCED : { shutdown: false });
    },
    written: (value, rules) => ({ put: [shutdownRule(readShutdown(value), rules)] }),
    removed: () => ({ put: [], removed: [SHUTDOWN] }),
  },
  [SYNC_INTERVAL]: secondsSwitch(SYNC_INTERVAL, "digest-interval-ms"),
};

/** The value that SOFARegistry writes when its operators shut all sessions. */
const FORCED = { shutdown: true, cause: "force" } as const;

/**
 * All sessions take no clients, or take them again. As in SOFARegistry pushes are stopped first: subscribers keep the
 * lists that they have. Throws FIELD_INVALID.
 */
export function shutdownRule(isShut: boolean, rules: RuleSet): SwitchRule {
  if (isShut && !isPushStopped(rules)) {
    throw fail("FIELD_INVALID", { field: SHUTDOWN, value: true, expected: "pushes that are stopped first" });
  }
  const settings = new Map([["serve-clients", "false"]]);
  return { id: SHUTDOWN, effect: "changeSettings", match: {}, settings, isInForce: isShut };
}

function readShutdown(value: string): boolean {
  const wrong = () => fail("FIELD_INVALID", { field: SHUTDOWN, value, expected: JSON.stringify(FORCED) });
  const { shutdown } = fieldsOf(readJson(SHUTDOWN, value), ["shutdown", "cause"], wrong);
  if (typeof shutdown !== "boolean") throw wrong();
  return shutdown;
}

/** The names of the switches that change settings. */
export const SETTING_SWITCH_NAMES: readonly string[] = Object.keys(SWITCHES);

/** The switch of this name, if it changes settings. */
export function settingSwitchOf(name: string): RuleSwitch | undefined {
  return Object.hasOwn(SWITCHES, name) ? SWITCHES[name] : undefined;
}

/** The value of a switch, as `/persistentData/query` shows it; undefined if it is not set. */
export function settingSwitchValue(name: string, rules: RuleSet): string | undefined {
  return settingSwitchOf(name)?.shown(rules);
}

/** SOFARegistry's CompressPushSwitch for settings that are in force somewhere. */
export function compressPushState(
  values: Pick<DynamicValues, "pushCompress" | "pushCompressBytesMin" | "pushEncodings">,
): object {
  const forbidEncodes = PUSH_COMPRESSIONS.filter((one) => !values.pushEncodings.includes(one));
  return {
    enabled: values.pushCompress,
    compressMinSize: values.pushCompressBytesMin,
    forbidEncodes,
    enabledSessions: [],
    enabledClients: [],
  };
}

/** The rule of a written CompressPushSwitch. Throws FIELD_INVALID. */
export function compressPushRule(body: unknown): SwitchRule {
  return ruleOf(COMPRESS_PUSH, { settings: readCompressPush(body) });
}

interface Read {
  readonly settings: ReadonlyMap<DynamicKey, string>;
  /** The zones for whose nodes the settings are; undefined for all. */
  readonly zones?: readonly string[];
}

function settingSwitch(
  id: string,
  form: {
    readonly shown: (settings: ReadonlyMap<string, string>, rule: Rule) => string;
    readonly read: (value: string) => Read;
  },
): RuleSwitch {
  return {
    ids: [id],
    shown(rules) {
      const rule = rules.get(id);
      return rule?.settings === undefined || !rule.isInForce ? undefined : form.shown(rule.settings, rule);
    },
    written: (value) => ({ put: [ruleOf(id, form.read(value))] }),
    removed: () => ({ put: [], removed: [id] }),
  };
}

function ruleOf(id: string, { settings, zones }: Read): SwitchRule {
  return { id, effect: "changeSettings", match: zones === undefined ? {} : { zones }, settings, isInForce: true };
}

function secondsSwitch(id: string, key: DynamicKey): RuleSwitch {
  return settingSwitch(id, {
    shown: (settings) => String(Number(settings.get(key)) / 1_000),
    read(value) {
      if (!/^\d{1,6}$/.test(value)) throw fail("FIELD_INVALID", { field: id, value, expected: "whole seconds" });
      return { settings: new Map([[key, String(Number(value) * 1_000)]]) };
    },
  });
}

const COMPRESS_FIELDS = ["enabled", "compressMinSize", "forbidEncodes", "enabledSessions", "enabledClients"] as const;
// SOFARegistry's default.
const COMPRESS_BYTES_MIN = 4_096;

function readCompressPush(value: unknown): Map<DynamicKey, string> {
  const wrong = (expected: string) => fail("FIELD_INVALID", { field: COMPRESS_PUSH, value: json(value), expected });
  const known = `an object with some of ${COMPRESS_FIELDS.join(", ")}`;
  const fields = fieldsOf(value, COMPRESS_FIELDS, () => wrong(known));
  const { enabled = false, compressMinSize, forbidEncodes, enabledSessions, enabledClients } = fields;
  const bytesMin = compressMinSize ?? COMPRESS_BYTES_MIN;
  if (typeof enabled !== "boolean") throw wrong("enabled true or false");
  if (typeof bytesMin !== "number") throw wrong("a compressMinSize that is a number");
  for (const [name, list] of Object.entries({ enabledSessions, enabledClients })) {
    if (list === undefined || list === null || readStrings(name, list).length === 0) continue;
    throw wrong(`no ${name}: Roster compresses at all sessions and for all clients that understand it, or for none`);
  }
  const forbidden =
    forbidEncodes === undefined || forbidEncodes === null ? [] : readStrings("forbidEncodes", forbidEncodes);
  const isKnown = (one: string): one is PushCompression => PUSH_COMPRESSIONS.some((each) => each === one);
  if (!forbidden.every(isKnown)) throw wrong(`forbidEncodes of ${PUSH_COMPRESSIONS.join(", ")}`);
  const allowed = PUSH_COMPRESSIONS.filter((one) => !forbidden.includes(one));
  return new Map([
    ["push-compress", String(enabled)],
    ["push-compress-bytes-min", String(bytesMin)],
    ["push-encodings", allowed.join(",")],
  ]);
}

function compressPushOf(settings: ReadonlyMap<string, string>): object {
  const pushEncodings = PUSH_COMPRESSIONS.filter((one) => settings.get("push-encodings")?.split(",").includes(one));
  return compressPushState({
    pushCompress: settings.get("push-compress") === "true",
    pushCompressBytesMin: Number(settings.get("push-compress-bytes-min")),
    pushEncodings,
  });
}

/** In SOFARegistry every zone of the data center. */
const ALL_ZONES = "ALL_ZONE";
// SOFARegistry's default.
const DEBOUNCING_MAX_MS = 3_000;
// Waits of stages that Roster does not have: it gathers changes once, where they are pushed.
const OTHER_WAITS = [
  "changeDebouncingMillis",
  "changeTaskWaitingMillis",
  "largeChangeTaskWaitingMillis",
  "pushTaskWaitingMillis",
  "pushTaskDebouncingMillis",
  "regWorkWaitingMillis",
  "pushTaskWake",
  "regWorkWake",
  "sbfAppPushTaskDebouncingMillis",
  "inIpZoneSBF",
  "DEFAULT_CHANGE_DEBOUNCING_MILLIS",
  "DEFAULT_CHANGE_DEBOUNCING_MAX_MILLIS",
  "DEFAULT_PUSH_TASK_DEBOUNCING_MILLIS",
] as const;
const LISTS = ["zoneSet", "ipSet", "subAppSet"] as const;
const PARTS = ["autoPushEfficiencyConfig", "largeChangeAdaptiveDelayConfig"] as const;

/** The longest wait becomes that of Roster's pushes, in the zones that are named. */
function readPushDelay(value: unknown): Read {
  const wrong = (expected: string) => fail("FIELD_INVALID", { field: PUSH_DELAY, value: json(value), expected });
  const known = ["changeDebouncingMaxMillis", ...LISTS, ...PARTS, ...OTHER_WAITS] as const;
  const fields = fieldsOf(value, known, () => wrong("an object with SOFARegistry's fields"));
  const { changeDebouncingMaxMillis: maxMs = DEBOUNCING_MAX_MS } = fields;
  if (typeof maxMs !== "number") throw wrong("a changeDebouncingMaxMillis that is a number");
  for (const part of PARTS) {
    const { [part]: given = null } = fields;
    if (given === null || isOff(given)) continue;
    throw wrong(`no ${part}: the gaps between pushes grow and shrink by themselves`);
  }
  const listOf = (name: (typeof LISTS)[number]) => readStrings(name, fields[name] ?? []);
  for (const name of ["ipSet", "subAppSet"] as const) {
    if (listOf(name).length > 0) throw wrong(`an empty ${name}: Roster has one wait for all services of a node`);
  }
  const zones = listOf("zoneSet");
  const settings = new Map<DynamicKey, string>([["push-window-max-ms", String(maxMs)]]);
  return zones.includes(ALL_ZONES) ? { settings } : { settings, zones };
}

/** A part whose switches are all off. */
function isOff(part: unknown): boolean {
  if (typeof part !== "object" || part === null) return false;
  return Object.entries(part).every(([name, value]) => !/^(enable|use)/.test(name) || value === false);
}

function json(value: unknown): string {
  return JSON.stringify(value) ?? String(value);
}
