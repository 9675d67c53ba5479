// SOFARegistry's paths for compression, the pace of pushes, throttling and the circuit breaker, in its shapes.

import { type HttpExchange, type HttpResponse, type HttpRoute, jsonResponse, respondWith } from "../../../base/http.ts";
import type { RuleSet } from "../../../model/ruleSet.ts";
import { makeServiceKey } from "../../../model/serviceKey.ts";
import type { MetaNodeView } from "../../kit/gateway.ts";
import type { SofaConfig } from "../environment.ts";
import { common, generic } from "./answers.ts";
import { addressesIn, breakerListOf, breakerRule, breakerState, CIRCUIT_BREAKER } from "./breakerSwitch.ts";
import { changeSwitch, checkPlain, type RulesNode } from "./changeSwitch.ts";
import { originOf, RULE_BODY_BYTES_MAX } from "./ruleRoutes.ts";
import { readAddresses, type SwitchRule } from "./ruleSwitches.ts";
import {
  COMPRESS_PUSH,
  compressPushRule,
  compressPushState,
  SESSION_LEASE,
  SYNC_INTERVAL,
  settingSwitchValue,
} from "./settingSwitches.ts";
import { COMPRESS_DATUM, checkedSwitch } from "./valueSwitches.ts";

type MetaSettingsNode = RulesNode & Pick<MetaNodeView, "settings" | "config" | "putConfig">;

/** The paths of a session: what is in force there. */
export function sessionSettingRoutes(config: SofaConfig): readonly HttpRoute[] {
  const get = (path: string, answer: () => object): HttpRoute => ({
    method: "GET",
    path,
    handle: ({ respond }) => respond(jsonResponse(answer())),
  });
  return [
    get("/compress/push/state", () => compressPushState(config)),
    get("/flowoperation/throttling/status", () =>
      generic({ localStatus: NOT_THROTTLED, clusterStatus: NOT_THROTTLED }),
    ),
    // SOFARegistry asks for a token that stands in its source. These paths change nothing, and need none here.
    get("/api/push/efficiency/getChangeDebouncingMillis", () => {
      const pace = { changeDebouncingMillis: 0, changeDebouncingMaxMillis: config.pushWindowMaxMs };
      return generic({ [config.dataCenter]: [pace] });
    }),
    get("/api/push/efficiency/isUseLargeAdapterDelayChangeWorker", () => generic({ [config.dataCenter]: [false] })),
  ];
}

/** The paths of the leading meta node. */
export function metaSettingRoutes(node: MetaSettingsNode): readonly HttpRoute[] {
  // The values that operators have set; the nodes' own configuration is not shown.
  const slotSync = leaderGet("/slotSync/get", () => ({
    dataDatumExpire: settingSwitchValue(SESSION_LEASE, node.rules()) ?? "null",
    syncSessionIntervalSec: settingSwitchValue(SYNC_INTERVAL, node.rules()) ?? "null",
  }));
  return [...compressRoutes(node), ...throttlingRoutes(), ...breakerRoutes(node), slotSync];
}

const ANY_OBJECT = { type: "object" } as const;
const DATUM_KEY = makeServiceKey({ name: COMPRESS_DATUM, namespace: "9600", group: "CONFIG" });
const COMPRESS_DATUM_DEFAULT = { enabled: false, compressMinSize: 12_288 };

function compressRoutes(node: MetaSettingsNode): readonly HttpRoute[] {
  return [
    post("/compress/push/switch", ANY_OBJECT, (exchange) =>
      respondWith(
        exchange,
        changed(node, exchange, () => [compressPushRule(exchange.body)], common(null)),
      ),
    ),
    leaderGet("/compress/push/state", () => {
      const value = settingSwitchValue(COMPRESS_PUSH, node.rules());
      return value === undefined ? compressPushState(node.settings()) : (JSON.parse(value) as object);
    }),
    post("/compress/datum/switch", ANY_OBJECT, (exchange) => {
      const value = checkedSwitch(COMPRESS_DATUM, JSON.stringify(exchange.body));
      respondWith(
        exchange,
        node.putConfig(DATUM_KEY, value).then(() => common(null)),
      );
    }),
    leaderGet("/compress/datum/state", () => {
      const stored = node.config(DATUM_KEY)?.data ?? null;
      return { ...COMPRESS_DATUM_DEFAULT, ...(stored === null ? {} : (JSON.parse(stored) as object)) };
    }),
  ];
}

const NOT_THROTTLED = { enabled: false, throttlePercent: 0 };

/**
 * SOFARegistry refuses to take clients off or on while its sessions are busy, and this switch forces that off. Roster
 * never refuses it. The switch is kept as there: by the node that leads, until its process ends.
 */
function throttlingRoutes(): readonly HttpRoute[] {
  let isEnabled = true;
  const emergency = (path: string, isOn: boolean): HttpRoute =>
    post(`/flowoperation/throttling/emergency/${path}`, undefined, ({ respond }) => {
      isEnabled = isOn;
      respond(common(null));
    });
  return [
    emergency("enable", true),
    emergency("disable", false),
    leaderGet("/flowoperation/throttling/emergency/status", () => generic({ emergencyEnabled: isEnabled })),
    leaderGet("/flowoperation/throttling/status", () => generic(NOT_THROTTLED)),
  ];
}

const BREAKER_FORM = {
  type: ["object", "null"],
  additionalProperties: false,
  properties: { option: { type: "string" }, ips: { type: "string" } },
} as const;

function breakerRoutes(node: RulesNode): readonly HttpRoute[] {
  const listed = (path: string, change: (known: readonly string[], meant: readonly string[]) => string[]): HttpRoute =>
    post(`/circuit/breaker/${path}`, BREAKER_FORM, (exchange) => {
      const { option = "", ips = "" } = (exchange.body ?? {}) as { readonly option?: string; readonly ips?: string };
      const id = breakerListOf(option);
      const texts = ips.split(";").flatMap((text) => text.trim() || []);
      if (id === undefined || texts.length === 0) return exchange.respond(common("option or ips is blank.", false));
      const meant = readAddresses(texts);
      const edit = (rules: RuleSet) => {
        checkPlain(rules.get(id), "addresses");
        return [breakerRule(rules, id, { addresses: change(addressesIn(rules, id), meant) })];
      };
      respondWith(exchange, changed(node, exchange, edit, common("")));
    });
  const switched = (path: string, isInForce: boolean): HttpRoute =>
    post(`/circuit/breaker/switch/${path}`, undefined, (exchange) => {
      const edit = (rules: RuleSet) => [breakerRule(rules, CIRCUIT_BREAKER, { isInForce })];
      respondWith(exchange, changed(node, exchange, edit, common("")));
    });
  return [
    leaderGet("/circuit/breaker/query", () => generic(breakerState(node.rules()))),
    listed("add", (known, meant) => [...new Set([...known, ...meant])]),
    listed("remove", (known, meant) => known.filter((address) => !meant.includes(address))),
    switched("open", true),
    switched("close", false),
  ];
}

async function changed(
  node: RulesNode,
  exchange: HttpExchange,
  edit: (rules: RuleSet) => readonly SwitchRule[],
  response: HttpResponse,
): Promise<HttpResponse> {
  await changeSwitch(node, originOf(exchange), (rules) => ({ put: edit(rules) }));
  return response;
}

function post(path: string, body: object | undefined, handle: HttpRoute["handle"]): HttpRoute {
  const schema = body === undefined ? {} : { schema: { body } };
  return { method: "POST", path, isForLeader: true, ...schema, bodyBytesMax: RULE_BODY_BYTES_MAX, handle };
}

function leaderGet(path: string, answer: () => object): HttpRoute {
  return {
    method: "GET",
    path,
    asks: "list",
    isForLeader: true,
    handle: ({ respond }) => respond(jsonResponse(answer())),
  };
}
