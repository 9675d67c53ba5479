// Paths of the role meta that change and show rules, in SOFARegistry's shapes: clients that are off, pushes that are
// stopped, blacklists.

import { fail } from "../../../base/errors.ts";
import { type HttpExchange, type HttpResponse, type HttpRoute, jsonResponse, respondWith } from "../../../base/http.ts";
import { RULE_BYTES_MAX } from "../../../model/rule.ts";
import type { RuleSet } from "../../../model/ruleSet.ts";
import type { MetaNodeView, OtherNodes } from "../../kit/gateway.ts";
import { type ServiceName, serviceKeyOf } from "../serviceName.ts";
import { common, generic, rawResponse } from "./answers.ts";
import { type ChangeOrigin, changeSwitch, type RulesNode } from "./changeSwitch.ts";
import { offListText } from "./offList.ts";
import {
  blacklistedServicesOf,
  grayOpenRule,
  IP_BLACKLIST,
  isPushStopped,
  openAddressesOf,
  readAddresses,
  ruleSwitch,
  type SwitchEdit,
  stopPushRule,
} from "./ruleSwitches.ts";
import { SHUTDOWN, settingSwitchValue, shutdownRule } from "./settingSwitches.ts";
import { askOffList, changeAtLeader, OFF_ACTIONS } from "./switchChanges.ts";

/** The view of the node that the paths need. */
export type MetaRulesNode = RulesNode & Pick<MetaNodeView, "isLeading">;

// Each character of a form may be three.
export const RULE_BODY_BYTES_MAX = 3 * RULE_BYTES_MAX;

/** A form that may be missing altogether. */
export const IPS_FORM = {
  type: ["object", "null"],
  additionalProperties: false,
  properties: { ips: { type: "string" } },
} as const;
const SERVICE_FORM = {
  type: "object",
  required: ["dataId"],
  additionalProperties: false,
  properties: { dataId: { type: "string" }, group: { type: "string" }, instanceId: { type: "string" } },
} as const;
const GRAY_BODY = {
  type: "object",
  additionalProperties: false,
  properties: { ips: { type: ["array", "null"], items: { type: "string" } } },
} as const;

/** The paths of the role meta. */
export function metaRuleRoutes(node: MetaRulesNode, others: OtherNodes): readonly HttpRoute[] {
  return [
    ...clientManagerRoutes(node, others),
    ...pushRoutes(node),
    ...blacklistRoutes(node, others),
    ...shutdownRoutes(node),
  ];
}

// As in SOFARegistry, any meta node answers these.
function clientManagerRoutes(node: MetaRulesNode, others: OtherNodes): readonly HttpRoute[] {
  const actions = OFF_ACTIONS.map((change): HttpRoute => {
    return {
      method: "POST",
      path: `/api/clientManager/${change}`,
      schema: { body: IPS_FORM },
      bodyBytesMax: RULE_BODY_BYTES_MAX,
      handle: (exchange) => {
        const text = ipsIn(exchange);
        if (text === "") return exchange.respond(common("ips is empty", false));
        const made = changeAtLeader(node, others, { change, text, ...originOf(exchange) });
        respondWith(
          exchange,
          made.then(() => common("")),
        );
      },
    };
  });
  const query: HttpRoute = {
    method: "GET",
    path: "/api/clientManager/query",
    asks: "list",
    handle: (exchange) => {
      if (node.isLeading()) exchange.respond(rawResponse(offListText(node.rules())));
      else respondWith(exchange, askOffList(others));
    },
  };
  return [...actions, query];
}

function pushRoutes(node: MetaRulesNode): readonly HttpRoute[] {
  const switched = (path: string, isStopped: boolean): HttpRoute => ({
    method: "GET",
    path: `/stopPushDataSwitch/${path}`,
    isForLeader: true,
    handle: (exchange) => {
      // A node without a leader answers questions, and this is none.
      if (!node.isLeading()) throw fail("NOT_META_LEADER", { leader: "unknown" });
      // As in SOFARegistry, the addresses of a grey opening are forgotten.
      const edit = (rules: RuleSet) => ({ put: [stopPushRule(rules, { isStopped, open: [] })] });
      respondWith(exchange, changed(node, exchange, edit, common(null)));
    },
  });
  return [
    // The switch is open when pushes are stopped.
    switched("open", true),
    switched("close", false),
    {
      method: "POST",
      path: "/stopPushDataSwitch/grayOpen",
      isForLeader: true,
      schema: { body: GRAY_BODY },
      bodyBytesMax: RULE_BODY_BYTES_MAX,
      handle: (exchange) => {
        const { ips } = exchange.body as { readonly ips?: readonly string[] | null };
        const open = readAddresses(ips ?? []);
        const edit = (rules: RuleSet) => ({ put: [grayOpenRule(rules, open)] });
        respondWith(exchange, changed(node, exchange, edit, common(null)));
      },
    },
    {
      method: "GET",
      path: "/digest/pushSwitch",
      asks: "list",
      isForLeader: true,
      handle: ({ respond }) => {
        const ips = openAddressesOf(node.rules());
        const stopPush = String(isPushStopped(node.rules()));
        const gray =
          ips.length === 0
            ? { "gray push switch msg": "data is empty", grayPushSwitch: "" }
            : { grayPushSwitch: JSON.stringify({ ips }) };
        respond(jsonResponse({ stopPush, ...gray }));
      },
    },
  ];
}

function blacklistRoutes(node: MetaRulesNode, others: OtherNodes): readonly HttpRoute[] {
  const service = (path: string, change: string): HttpRoute => ({
    method: "POST",
    path: `/datainfoid/blacklist/${path}`,
    schema: { body: SERVICE_FORM },
    handle: (exchange) => {
      const serviceKey = serviceKeyOf({
        group: "",
        instanceId: "",
        ...(exchange.body as Partial<ServiceName>),
      } as ServiceName);
      const made = changeAtLeader(node, others, { change, text: serviceKey, ...originOf(exchange) });
      respondWith(
        exchange,
        made.then(() => common(null)),
      );
    },
  });
  return [
    service("add", "blacklistAdd"),
    service("delete", "blacklistDelete"),
    {
      method: "GET",
      path: "/datainfoid/blacklist/query",
      asks: "list",
      isForLeader: true,
      handle: ({ respond }) => respond(jsonResponse(generic(blacklistedServicesOf(node.rules())))),
    },
    {
      method: "POST",
      path: "/blacklist/update",
      isForLeader: true,
      schema: { body: { type: "object" } },
      bodyBytesMax: RULE_BODY_BYTES_MAX,
      handle: (exchange) => {
        const value = JSON.stringify(exchange.body);
        const edit = (rules: RuleSet) => ruleSwitch(IP_BLACKLIST)?.written(value, rules) ?? { put: [] };
        respondWith(exchange, changed(node, exchange, edit, common(null)));
      },
    },
  ];
}

const SHUTDOWN_FORM = {
  type: "object",
  required: ["shutdown"],
  properties: { shutdown: { type: "string", pattern: "^[tT][rR][uU][eE]$|^[fF][aA][lL][sS][eE]$" } },
} as const;

/** SOFARegistry checks a token that stands in its source. Here the access to the port decides. */
function shutdownRoutes(node: MetaRulesNode): readonly HttpRoute[] {
  return [
    {
      method: "POST",
      path: "/shutdown/update",
      isForLeader: true,
      schema: { body: SHUTDOWN_FORM },
      handle: (exchange) => {
        const isShut = (exchange.body as { readonly shutdown: string }).shutdown.toLowerCase() === "true";
        if (isShut && !isPushStopped(node.rules())) return exchange.respond(common(PUSHES_OPEN, false));
        const edit = (rules: RuleSet) => ({ put: [shutdownRule(isShut, rules)] });
        respondWith(exchange, changed(node, exchange, edit, common(null)));
      },
    },
    {
      method: "GET",
      path: "/shutdown/query",
      asks: "list",
      isForLeader: true,
      handle: ({ respond }) =>
        respond(jsonResponse({ switch: settingSwitchValue(SHUTDOWN, node.rules()) ?? "empty value." })),
    },
  ];
}

/** SOFARegistry's answer to a shutdown while pushes are not stopped. */
export const PUSHES_OPEN = "push switch is open";

/** The field of a form with addresses; empty if it has none. */
export function ipsIn({ body }: Pick<HttpExchange, "body">): string {
  return (body as { readonly ips?: string } | undefined)?.ips?.trim() ?? "";
}

/** The origin of a change that an HTTP request asks for. */
export function originOf({ method, path, remoteAddress }: HttpExchange): ChangeOrigin {
  return { from: remoteAddress, request: `${method} ${path}` };
}

async function changed(
  node: RulesNode,
  exchange: HttpExchange,
  edit: (rules: RuleSet) => SwitchEdit,
  response: HttpResponse,
): Promise<HttpResponse> {
  await changeSwitch(node, originOf(exchange), edit);
  return response;
}
