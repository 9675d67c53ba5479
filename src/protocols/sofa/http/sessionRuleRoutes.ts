// Paths of the role session by which operators take clients off and stop pushes, in SOFARegistry's shapes.

import { RegistryError } from "../../../base/errors.ts";
import {
  type HttpExchange,
  type HttpResponse,
  type HttpRoute,
  jsonResponse,
  queryValue,
  respondWith,
} from "../../../base/http.ts";
import { readHost } from "../../../model/hostAddress.ts";
import { type NodeId, nodeNameOf } from "../../../model/ids.ts";
import type { OtherNodes } from "../../kit/gateway.ts";
import { checkCount, common, generic, longJsonResponse, rawResponse } from "./answers.ts";
import { offListText } from "./offList.ts";
import { IPS_FORM, ipsIn, originOf, PUSHES_OPEN, RULE_BODY_BYTES_MAX } from "./ruleRoutes.ts";
import { isPushStopped } from "./ruleSwitches.ts";
import {
  askOtherSessions,
  clientsClearedHere,
  clientsOffHere,
  clientsOpenHere,
  notDone,
  offAddresses,
  type SwitchedSession,
  shutHere,
  stopPushHere,
} from "./sessionSwitches.ts";
import { endsOf } from "./shapes.ts";
import { askForChange, askIsLed, OFF_ACTIONS } from "./switchChanges.ts";

/** The surroundings of the paths. */
export interface SessionRulesEnvironment extends SwitchedSession {
  readonly others: OtherNodes;
}

const CLIENT_MANAGER = "/api/clientManager";

const CONNECT_ID = {
  type: "object",
  required: ["clientHostAddress", "clientPort", "sessionHostAddress", "sessionPort"],
  additionalProperties: false,
  properties: {
    clientHostAddress: { type: "string" },
    clientPort: { type: "integer" },
    sessionHostAddress: { type: "string" },
    sessionPort: { type: "integer" },
  },
} as const;
const CLIENTS_BODY = {
  type: ["object", "null"],
  additionalProperties: false,
  properties: { connectIds: { type: ["array", "null"], items: CONNECT_ID } },
} as const;

interface ConnectId {
  readonly clientHostAddress: string;
  readonly clientPort: number;
  readonly sessionHostAddress: string;
  readonly sessionPort: number;
}

/** The paths of the role session. */
export function sessionRuleRoutes(environment: SessionRulesEnvironment): readonly HttpRoute[] {
  return [
    ...clientRoutes(environment),
    ...keptRoutes(environment),
    ...pushRoutes(environment),
    {
      method: "POST",
      path: "/api/clients/off",
      schema: { body: CLIENTS_BODY },
      handle: (exchange) => clearClients(environment, exchange),
    },
  ];
}

/** Clients are off at this session, or at all sessions of the zone, until they connect anew. */
function clientRoutes(environment: SessionRulesEnvironment): readonly HttpRoute[] {
  const { node, others } = environment;
  const done = { clientOff: clientsOffHere, clientOpen: clientsOpenHere } as const;
  const actions = Object.entries(done).flatMap(([name, act]): HttpRoute[] => {
    const rest = { method: "POST", schema: { body: IPS_FORM }, bodyBytesMax: RULE_BODY_BYTES_MAX } as const;
    const acted = (exchange: HttpExchange, then: (ips: string) => void) => {
      const ips = ipsIn(exchange);
      if (ips === "") return exchange.respond(common("ips is empty", false));
      act(environment, ips, originOf(exchange));
      then(ips);
    };
    const here = (exchange: HttpExchange) => acted(exchange, () => exchange.respond(common("")));
    const inZone = (exchange: HttpExchange) =>
      acted(exchange, (ips) => respondWith(exchange, zoneAnswer(environment, name, { ips, ...originOf(exchange) })));
    return [
      { ...rest, path: `${CLIENT_MANAGER}/${name}`, handle: here },
      { ...rest, path: `${CLIENT_MANAGER}/zone/${name}`, handle: inZone },
    ];
  });
  const query: HttpRoute = {
    method: "POST",
    path: `${CLIENT_MANAGER}/zone/queryClientOff`,
    asks: "list",
    handle: (exchange) => {
      const asked = askOtherSessions(environment, others, { name: "offAddresses", parameters: {} });
      const shown = asked.then((answers) => {
        const entries = answers.map(({ session, answer, error }): [string, object] => {
          const ips = (answer as { ips: readonly string[] } | undefined)?.ips ?? null;
          return [hostOfSession(environment, session), { success: error === undefined, ips }];
        });
        entries.unshift([hostOfSession(environment, node.id), { success: true, ips: offAddresses(node.rules()) }]);
        return jsonResponse(generic(Object.fromEntries(entries)));
      });
      respondWith(exchange, shown);
    },
  };
  return [...actions, query];
}

/** The host of a session, as in SOFARegistry; its name if there are several at one host. */
function hostOfSession({ node: { cluster } }: SessionRulesEnvironment, session: NodeId): string {
  const sessions = cluster.nodes().filter(({ role }) => role === "session");
  const host = sessions.find(({ id }) => id === session)?.host;
  const isAlone = host !== undefined && sessions.filter((one) => one.host === host).length === 1;
  return isAlone ? host : nodeNameOf(session);
}

/** Has all other sessions do what was done here. */
async function zoneAnswer(
  environment: SessionRulesEnvironment,
  name: string,
  parameters: object,
): Promise<HttpResponse> {
  const message = notDone(await askOtherSessions(environment, environment.others, { name, parameters }));
  return message === null ? common("") : common(message, false);
}

/** Clients are off in the whole cluster: the leading meta node keeps it. */
function keptRoutes(environment: SessionRulesEnvironment): readonly HttpRoute[] {
  const { node, others } = environment;
  const path = (name: string) => `${CLIENT_MANAGER}/persistence/${name}`;
  const actions = OFF_ACTIONS.map((change): HttpRoute => {
    const handle = (exchange: HttpExchange) => {
      const text = ipsIn(exchange);
      if (text === "") return exchange.respond(jsonResponse(failed(`${change} ips is empty.`)));
      const made = askForChange(others, { change, text, ...originOf(exchange) });
      respondWith(
        exchange,
        made.then((epoch) => longJsonResponse(generic(epoch))),
      );
    };
    return {
      method: "POST",
      path: path(change),
      schema: { body: IPS_FORM },
      bodyBytesMax: RULE_BODY_BYTES_MAX,
      handle,
    };
  });
  return [
    ...actions,
    {
      method: "GET",
      path: path("query"),
      asks: "list",
      handle: ({ respond }) => respond(rawResponse(offListText(node.rules()))),
    },
    {
      method: "GET",
      path: path("checkVersion"),
      asks: "list",
      handle: (exchange) => {
        const version = queryValue(exchange, "version");
        if (!/^\d{1,19}$/.test(version)) return exchange.respond(common("check version fail.", false));
        respondWith(
          exchange,
          haveRules(environment, version).then((isThere) => common("", isThere)),
        );
      },
    },
  ];
}

// As SOFARegistry waits for its sessions.
const RULES_MS_MAX = 3_000;

/** Whether all sessions have the rules of this version, or get them in a moment. */
async function haveRules(environment: SessionRulesEnvironment, version: string): Promise<boolean> {
  const { node, others } = environment;
  const [isHere, answers] = await Promise.all([
    node.hasRules(BigInt(version), RULES_MS_MAX),
    askOtherSessions(environment, others, { name: "hasRules", parameters: { epoch: version } }),
  ]);
  return isHere && answers.every(({ answer }) => (answer as { hasRules?: boolean } | undefined)?.hasRules === true);
}

function failed(message: string): object {
  return { success: false, message, data: null };
}

function pushRoutes(environment: SessionRulesEnvironment): readonly HttpRoute[] {
  const { node, others } = environment;
  return [
    {
      method: "POST",
      path: "/api/emergency/pushSwitch/stop",
      handle: (exchange) => {
        const answer = isLed(others).then((isSo) => {
          if (isSo) return common("leader is healthy, should not close push by session.", false);
          stopPushHere(environment, originOf(exchange));
          return common("");
        });
        respondWith(exchange, answer);
      },
    },
    {
      method: "POST",
      path: "/api/emergency/shutdown",
      handle: (exchange) => {
        if (!isPushStopped(node.rules())) return exchange.respond(common(PUSHES_OPEN, false));
        const answer = isLed(others).then((isSo) => {
          if (isSo) return common("leader is healthy, should not stop server by session.", false);
          shutHere(environment, originOf(exchange));
          return common("");
        });
        respondWith(exchange, answer);
      },
    },
    {
      method: "GET",
      path: "/api/emergency/pushSwitch/zone/stop",
      handle: (exchange) => {
        stopPushHere(environment, originOf(exchange));
        respondWith(exchange, zoneAnswer(environment, "stopPush", originOf(exchange)));
      },
    },
    {
      method: "GET",
      path: "/digest/pushSwitch",
      asks: "list",
      handle: ({ respond }) => respond(jsonResponse({ pushSwitch: isPushStopped(node.rules()) ? "closed" : "open" })),
    },
  ];
}

/** Whether a meta node leads and can change the switch for all. */
async function isLed(others: OtherNodes): Promise<boolean> {
  try {
    return await askIsLed(others);
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
    // A leader of an earlier release does not know the question.
    return error.code !== "NODE_ASKED_UNREACHABLE" && error.code !== "NOT_META_LEADER";
  }
}

/** Ends everything that some connections to this session have registered. */
function clearClients(environment: SessionRulesEnvironment, exchange: HttpExchange): void {
  const { node } = environment;
  const body = exchange.body as { readonly connectIds?: readonly ConnectId[] | null } | undefined;
  if (body === undefined) return exchange.respond(common("Request can not be null.", false));
  const { connectIds } = body;
  if (connectIds === undefined || connectIds === null || connectIds.length === 0) {
    return exchange.respond(common("ConnectIds can not be null.", false));
  }
  checkCount("connectIds", connectIds.length);
  const clients = connectIds.flatMap(({ clientHostAddress, clientPort, sessionHostAddress, sessionPort }) => {
    const [host, sessionHost] = [readHost(clientHostAddress), readHost(sessionHostAddress)];
    if (typeof host !== "string") throw host;
    if (typeof sessionHost !== "string") throw sessionHost;
    const ends = `${host}:${clientPort}_${sessionHost}:${sessionPort}`;
    return [...node.own.clientsAt(host)].filter((client) => endsOf(client).join("_") === ends);
  });
  clientsClearedHere(environment, clients);
  exchange.respond(common(""));
}
