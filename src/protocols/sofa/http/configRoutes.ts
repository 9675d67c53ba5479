// Configuration values that clients watch, "persistent data", in SOFARegistry's paths and shapes.

import { fail } from "../../../base/errors.ts";
import { type HttpExchange, type HttpRoute, jsonResponse, queryValue, respondWith } from "../../../base/http.ts";
import type { ServiceKey } from "../../../model/ids.ts";
import { readServiceKey } from "../../../model/serviceKey.ts";
import type { MetaNodeView, StoredConfig } from "../../kit/gateway.ts";
import { type ServiceName, serviceKeyOf, serviceNameOf } from "../serviceName.ts";
import { changeSwitch, type RulesNode } from "./changeSwitch.ts";
import { checkSwitch, ruleSwitchOf } from "./checkSwitch.ts";
import { originOf, RULE_BODY_BYTES_MAX } from "./ruleRoutes.ts";
import { switchEpoch } from "./ruleSwitches.ts";

/** The view of the node that the routes need. */
export type ConfigNode = RulesNode & Pick<MetaNodeView, "configValueBytesMax" | "config" | "putConfig">;

const KEY_FIELDS = {
  dataId: { type: "string" },
  group: { type: "string", default: "" },
  instanceId: { type: "string", default: "" },
  // SOFARegistry's field, which is checked and not used: Roster gives versions itself, since they must only grow.
  version: { anyOf: [{ type: ["integer", "null"] }, { type: "string", pattern: "^[0-9]+$" }] },
} as const;
const PUT_BODY = {
  type: "object",
  required: ["dataId", "data"],
  additionalProperties: false,
  properties: { ...KEY_FIELDS, data: { type: "string", minLength: 1 } },
} as const;
const REMOVE_BODY = {
  type: "object",
  required: ["dataId"],
  additionalProperties: false,
  properties: { ...KEY_FIELDS, data: {} },
} as const;

// A real value never has more quotes and control characters than other bytes.
const JSON_BYTES_PER_BYTE = 2;
const NAMES_BYTES_MAX = 64 * 1024;

const DONE = jsonResponse({ success: true, message: null });

export function configRoutes(node: ConfigNode): readonly HttpRoute[] {
  const { putConfig, configValueBytesMax } = node;
  // A switch that is a rule is a value to its readers and writers.
  const config = (serviceKey: ServiceKey) => switchValue(node, serviceKey) ?? node.config(serviceKey);
  return [
    {
      method: "GET",
      path: "/persistentData/query",
      asks: "fetch",
      isForLeader: true,
      handle: (exchange) => {
        const serviceKey = readServiceKey(queryValue(exchange, "dataInfoId"), "dataInfoId");
        exchange.respond(jsonResponse({ success: true, message: null, data: shown(serviceKey, config(serviceKey)) }));
      },
    },
    {
      method: "POST",
      path: "/persistentData/put",
      isForLeader: true,
      schema: { body: PUT_BODY },
      bodyBytesMax: Math.max(RULE_BODY_BYTES_MAX, configValueBytesMax * JSON_BYTES_PER_BYTE + NAMES_BYTES_MAX),
      handle: (exchange) => {
        const body = exchange.body as ServiceName & { readonly data: string };
        const rule = ruleSwitchOf(body);
        if (rule !== undefined) return changeRule(node, exchange, (rules) => rule.written(body.data, rules));
        const serviceKey = serviceKeyOf(body);
        checkSwitch(body, body.data);
        checkUnpadded(body);
        respondWith(
          exchange,
          putConfig(serviceKey, body.data).then(() => DONE),
        );
      },
    },
    {
      method: "POST",
      path: "/persistentData/remove",
      isForLeader: true,
      schema: { body: REMOVE_BODY },
      handle: (exchange) => {
        const serviceKey = serviceKeyOf(exchange.body as ServiceName);
        if ((config(serviceKey)?.data ?? null) === null) {
          throw fail("FIELD_INVALID", { dataInfoId: serviceKey, expected: "the key of a value that is set" });
        }
        const rule = ruleSwitchOf(serviceNameOf(serviceKey));
        if (rule !== undefined) return changeRule(node, exchange, (rules) => rule.removed(rules));
        respondWith(
          exchange,
          putConfig(serviceKey, null).then(() => DONE),
        );
      },
    },
  ];
}

function changeRule(node: RulesNode, exchange: HttpExchange, edit: Parameters<typeof changeSwitch>[2]): void {
  respondWith(
    exchange,
    changeSwitch(node, originOf(exchange), edit).then(() => DONE),
  );
}

/** The value of a switch that is a rule, if this is one and it is set. */
function switchValue({ rules }: RulesNode, serviceKey: ServiceKey): StoredConfig | undefined {
  const rule = ruleSwitchOf(serviceNameOf(serviceKey));
  const data = rule?.shown(rules());
  return rule === undefined || data === undefined ? undefined : { version: switchEpoch(rule, rules()), data };
}

/** A blank around a name is a slip: no client watches it. A value stored under such a name can still be removed. */
function checkUnpadded({ dataId, group, instanceId }: ServiceName): void {
  for (const [field, value] of Object.entries({ dataId, group, instanceId })) {
    if (value !== value.trim())
      throw fail("FIELD_INVALID", { field, value, expected: "no leading or trailing blanks" });
  }
}

/** SOFARegistry's shape, with the version as text, since it exceeds a JavaScript number. */
function shown(serviceKey: ServiceKey, value: StoredConfig | undefined): object | null {
  if (value === undefined || value.data === null) return null;
  return { ...serviceNameOf(serviceKey), version: String(value.version), data: value.data };
}
