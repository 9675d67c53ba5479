// Paths of the role meta that change and show rules, in SOFARegistry's shapes: clients that are off, pushes that are
// stopped, blacklists.

import { fail } from "../../../base/errors.ts";
import { type HttpExchange, type HttpResponse, type HttpRoute, jsonResponse, respondWith } from "../../../base/http.ts";
import { RULE_BYTES_MAX } from "../../../model/rule.ts";
import type { RuleSet } from "../../../model/ruleSet.ts";
import type { MetaNodeView } from "../../kit/gateway.ts";
import { type ServiceName, serviceKeyOf } from "../serviceName.ts";
import { common, generic, longJsonResponse } from "./answers.ts";
import {
  type ChangeOrigin,
  changeSwitch,
  clientsOff,
  clientsOpen,
  type RulesNode,
  serviceBlacklisted,
} from "./changeSwitch.ts";
import {
  addressListsOf,
  blacklistedServicesOf,
  CLIENT_OFF,
  grayOpenRule,
  IP_BLACKLIST,
  isPushStopped,
  openAddressesOf,
  readAddresses,
  readOffList,
  ruleSwitch,
  type SwitchEdit,
  stopPushRule,
} from "./ruleSwitches.ts";

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

const CLIENT_MANAGER = "/api/clientManager";

/** The changes of the list of clients that are off, by the last part of their paths. */
export const OFF_ACTIONS: Readonly<Record<string, (ips: string) => (rules: RuleSet) => SwitchEdit>> = {
  clientOff: (ips) => {
    const hidden = addressesIn(ips);
    return (rules) => clientsOff(rules, { hidden, held: [] });
  },
  clientOffWithSub: (ips) => {
    const lists = readOffList("ips", ips);
    if (lists.hidden.length === 0) throw fail("FIELD_INVALID", { field: "ips", value: ips, expected: "an address" });
    return (rules) => clientsOff(rules, lists);
  },
  clientOpen: opened,
  // In SOFARegistry the connected clients stay off until they come back. Here nothing of them was taken away.
  reduce: opened,
};

/** The paths of the leading meta node. */
export function metaRuleRoutes(node: MetaRulesNode): readonly HttpRoute[] {
  return [...clientManagerRoutes(node), ...pushRoutes(node), ...blacklistRoutes(node)];
}

function clientManagerRoutes(node: RulesNode): readonly HttpRoute[] {
  const actions = Object.entries(OFF_ACTIONS).map(([name, action]): HttpRoute => {
    return {
      method: "POST",
      path: `${CLIENT_MANAGER}/${name}`,
      isForLeader: true,
      schema: { body: IPS_FORM },
      bodyBytesMax: RULE_BODY_BYTES_MAX,
      handle: (exchange) => {
        const ips = ipsIn(exchange);
        if (ips === "") return exchange.respond(common("ips is empty", false));
        respondWith(exchange, changed(node, exchange, action(ips), common("")));
      },
    };
  });
  const query: HttpRoute = {
    method: "GET",
    path: `${CLIENT_MANAGER}/query`,
    isForLeader: true,
    handle: ({ respond }) => respond(offListResponse(node.rules())),
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

function blacklistRoutes(node: RulesNode): readonly HttpRoute[] {
  const service = (path: string, isListed: boolean): HttpRoute => ({
    method: "POST",
    path: `/datainfoid/blacklist/${path}`,
    isForLeader: true,
    schema: { body: SERVICE_FORM },
    handle: (exchange) => {
      const serviceKey = serviceKeyOf({
        group: "",
        instanceId: "",
        ...(exchange.body as Partial<ServiceName>),
      } as ServiceName);
      const edit = (rules: RuleSet) => serviceBlacklisted(rules, { serviceKey, isListed });
      respondWith(exchange, changed(node, exchange, edit, common(null)));
    },
  });
  return [
    service("add", true),
    service("delete", false),
    {
      method: "GET",
      path: "/datainfoid/blacklist/query",
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

/** The list of clients that are off, in SOFARegistry's shape. */
export function offListResponse(rules: RuleSet): HttpResponse {
  const { hidden, held } = addressListsOf(CLIENT_OFF, rules);
  const isHeld = new Set(held);
  const { setMs: version = 0 } = rules.get(CLIENT_OFF) ?? {};
  const entries = hidden.map((address) => [address, { version, address, pub: true, sub: isHeld.has(address) }]);
  return longJsonResponse(
    generic({ version: rules.epoch, clientOffAddress: Object.fromEntries(entries), reduces: [] }),
  );
}

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

function opened(ips: string): (rules: RuleSet) => SwitchEdit {
  const addresses = addressesIn(ips);
  return (rules) => clientsOpen(rules, addresses);
}

/** The addresses of a field, separated by semicolons. Throws FIELD_INVALID. */
function addressesIn(ips: string): string[] {
  const texts = ips
    .split(";")
    .map((text) => text.trim())
    .filter((text) => text !== "");
  if (texts.length === 0) throw fail("FIELD_INVALID", { field: "ips", value: ips, expected: "10.0.0.1;10.0.0.2" });
  return readAddresses(texts);
}
