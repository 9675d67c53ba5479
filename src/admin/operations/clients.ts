// Operations on clients: what belongs to those at an address.

import { type ClientId, hostOf } from "../../model/ids.ts";
import type { Registration } from "../../model/publication.ts";
import { parseServiceKey } from "../../model/serviceKey.ts";
import { askAddress } from "../askRegistry.ts";
import type { OperatedNode } from "../operatedNode.ts";
import { type Gathered, operation } from "../operation.ts";
import type { IntegerParameter, ListParameter } from "../parameter.ts";
import { flag, type Json, list, long, object, oneOf, type Schema, text, time } from "../schema.ts";
import { isoTime } from "./services.ts";

// Each address is a question to all data nodes.
const ADDRESSES_MAX = 16;

const ADDRESS_PARAMETERS = {
  address: {
    type: "list",
    of: { type: "address", about: "" },
    countMax: ADDRESSES_MAX,
    isRequired: true,
    about: "The addresses that the clients come from.",
  },
  limit: {
    type: "integer",
    min: 1,
    max: 5_000,
    default: 1_000,
    about: "The most entries in the answer.",
  },
} as const satisfies Record<string, ListParameter | IntegerParameter>;

const CUT = flag("There are more than the answer has.");
const UNREACHABLE = list(
  object({ node: text("The node."), reason: text("Why it did not answer.") }),
  "Nodes that did not answer: what they know is missing.",
);

export const listInstances = operation({
  name: "instances.list",
  method: "GET",
  path: "/instances",
  about: "Lists what the clients at an address publish, in the whole cluster.",
  parameters: ADDRESS_PARAMETERS,
  command: { columns: ["registId", "service", "address", "session", "registeredAt"] },
  isChange: false,
  permission: "read",
  canBePreviewed: false,
  answeredBy: { kind: "session" },
  answer: object({
    items: list(
      object({
        service: text("The key of the service."),
        name: text("The name of the service."),
        registId: text("The id that the client gave the registration."),
        address: text("The address that the client came from."),
        client: text("The client's connection."),
        session: text("The session node that answers for it."),
        version: long("The client's own count of changes of the registration."),
        registeredAt: time("When a session accepted it."),
      }),
      "The registrations, in the order of their services.",
    ),
    isWhole: flag("False: some slots were not answered for in time, and registrations may be missing."),
    isCut: CUT,
  }),
  async run(node, { address: addresses, limit }) {
    const answers = await Promise.all(addresses.map((address) => askAddress(node, { address, entriesMax: limit })));
    const all = answers.flatMap(({ registrations }) => registrations).sort(byService);
    const items = all.slice(0, limit).map(registrationRow);
    const isCut = all.length > limit || answers.some((answer) => answer.isCut);
    return { items, isWhole: answers.every(({ isWhole }) => isWhole), isCut };
  },
});

function byService(one: Registration, other: Registration): number {
  if (one.serviceKey !== other.serviceKey) return one.serviceKey < other.serviceKey ? -1 : 1;
  return one.registId < other.registId ? -1 : 1;
}

function registrationRow({ serviceKey, registId, owner, version, registeredMs }: Registration): Json {
  return {
    service: serviceKey,
    name: parseServiceKey(serviceKey).name,
    registId,
    address: hostOf(owner.client),
    client: owner.client,
    session: owner.session,
    version: String(version),
    registeredAt: isoTime(registeredMs),
  };
}

/** The answer of an operation that each session answers with rows of its own clients. */
function gatheredRows(item: Schema, about: string): Schema {
  return object({ items: list(item, about), isCut: CUT, unreachable: UNREACHABLE });
}

interface Rows {
  readonly items: readonly Json[];
  readonly isCut: boolean;
}

function gatherRows({ parts, unreachable }: Gathered, { limit }: { readonly limit: number }): Json {
  const rows = parts.map(({ body }) => body as unknown as Rows);
  const items = rows.flatMap((part) => part.items);
  const isCut = items.length > limit || rows.some((part) => part.isCut);
  return { items: items.slice(0, limit), isCut, unreachable };
}

export const listClients = operation({
  name: "clients.list",
  method: "GET",
  path: "/clients",
  about: "Lists the connected clients at an address, with the session that each is connected to.",
  parameters: ADDRESS_PARAMETERS,
  command: { columns: ["client", "session", "principal"] },
  isChange: false,
  permission: "read",
  canBePreviewed: false,
  answeredBy: { kind: "each", role: "session" },
  answer: gatheredRows(
    object({
      client: text("The client's connection: `its address_the session's address`."),
      address: text("The address that it comes from."),
      session: text("The session node that it is connected to."),
      principal: text("The identity that it has proved."),
      kind: oneOf(["anonymous"], "How it has proved its identity."),
    }),
    "The clients, session by session.",
  ),
  run: (node, { address, limit }) =>
    ownRows(node, { addresses: address, limit }, ({ clients }) =>
      clients.map(({ client, principal }) => ({
        client,
        address: hostOf(client),
        session: node.id,
        principal: principal.name,
        kind: principal.kind,
      })),
    ),
  gather: gatherRows,
});

export const listSubscribers = operation({
  name: "subscribers.list",
  method: "GET",
  path: "/subscribers",
  about: "Lists what the clients at an address subscribe to, and the configuration values that they watch.",
  parameters: ADDRESS_PARAMETERS,
  command: { columns: ["registId", "kind", "service", "scope", "address", "session"] },
  isChange: false,
  permission: "read",
  canBePreviewed: false,
  answeredBy: { kind: "each", role: "session" },
  answer: gatheredRows(
    object({
      kind: oneOf(["service", "configuration"], "Whether it wants a service or watches a configuration value."),
      service: text("The key of the service, or of the value."),
      registId: text("The id that the client gave the subscription."),
      scope: oneOf(["zone", "dataCenter", "global", "none"], "The part of the service that it wants."),
      address: text("The address that the client comes from."),
      client: text("The client's connection."),
      session: text("The session node that it is connected to."),
    }),
    "The subscriptions, session by session.",
  ),
  run(node, { address, limit }) {
    const at = (client: ClientId) => ({ address: hostOf(client), client, session: node.id });
    return ownRows(node, { addresses: address, limit }, ({ subscriptions, configWatches }) => [
      ...subscriptions.map(({ client, serviceKey: service, registId, scope }) => ({
        kind: "service",
        service,
        registId,
        scope,
        ...at(client),
      })),
      ...configWatches.map(({ client, serviceKey: service, registId }) => ({
        kind: "configuration",
        service,
        registId,
        scope: "none",
        ...at(client),
      })),
    ]);
  },
  gather: gatherRows,
});

type Answer = Awaited<ReturnType<typeof askAddress>>;

/** Rows of this session's own clients at the addresses. */
async function ownRows(
  node: OperatedNode,
  { addresses, limit }: { addresses: readonly string[]; limit: number },
  rowsOf: (answer: Answer) => readonly Json[],
): Promise<Json> {
  const answers = await Promise.all(addresses.map((address) => askAddress(node, { address, entriesMax: limit })));
  // The answer to a question is cut also if only the registrations at the address are too many.
  const all = answers.map((answer) => ({ rows: rowsOf(answer), isCut: answer.isCut }));
  const items = all.flatMap(({ rows }) => rows);
  const isCut = items.length > limit || all.some((part) => part.isCut && part.rows.length >= limit);
  return { items: items.slice(0, limit), isCut };
}
