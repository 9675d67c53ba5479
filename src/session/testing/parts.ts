// The common ground of the tests of the session's single parts: clients, registrations, lists and a link to data nodes
// that keeps its input.

import { anonymous } from "../../access/principal.ts";
import { type Budget, unlimitedBudget } from "../../base/budget.ts";
import { type HistogramPort, type Metrics, noMetrics } from "../../base/metrics.ts";
import type { PublishItem, SessionToData } from "../../cluster/messages/sessionData.ts";
import { brandServiceKey, type ClientId, clientId, type NodeId, nodeId, type ServiceKey } from "../../model/ids.ts";
import { packBoxes } from "../../model/payload.ts";
import type { Publication } from "../../model/publication.ts";
import type { SlotTable } from "../../model/slot.ts";
import type { PublishRequest, SubscribeRequest } from "../../registry/registry.ts";
import { Client } from "../client.ts";
import { Costs } from "../costs.ts";
import { DataLinks } from "../dataLinks.ts";
import { Channel } from "./harness.ts";

/** The present, unless a test says otherwise. */
export const NOW_MS = 1_700_000_000_000;
export const ORDERS = brandServiceKey("orders#@#I#@#G");
/** Another service; with two slots or more it is in another one than `ORDERS`. */
export const STOCK = brandServiceKey("stock#@#I#@#G");
export const DATA_1 = nodeId("data-1");
export const DATA_2 = nodeId("data-2");
export const COSTS = new Costs(false);

let clients = 0;

/** A client that has just connected, later than all before. */
export function newClient(
  budget: Budget = unlimitedBudget(),
  id: ClientId = clientId(`client-${clients + 1}`),
): Client & { readonly channel: Channel } {
  const order = ++clients;
  const channel = new Channel();
  const account = budget.open(channel.address);
  const client = new Client(
    id,
    { channel, principal: anonymous(channel.address), account },
    {
      order,
      connectedMs: NOW_MS,
    },
  );
  return Object.assign(client, { channel });
}

/** A publisher's request. */
export function publishRequest(changes: Partial<PublishRequest> = {}): PublishRequest {
  const request = { serviceKey: ORDERS, registId: "p1", version: 1n, zone: "Z", appName: "", attributes: new Map() };
  return { ...request, payload: packBoxes([]), ...changes };
}

/** A subscriber's request. */
export function subscribeRequest(changes: Partial<SubscribeRequest> = {}): SubscribeRequest {
  const request = { serviceKey: ORDERS, registId: "s1", version: 1n, zone: "Z", variant: "v" };
  return { ...request, scope: "dataCenter", ...changes };
}

/** A publication as a data node lists it. */
export function publication(changes: Partial<Publication> = {}): Publication {
  const owner = { session: nodeId("session-1"), client: clientId("somebody") };
  return { ...publishRequest(), registeredMs: NOW_MS, owner, ...changes };
}

/** The whole list of a service. */
export function snapshotOf(version: bigint, { serviceKey = ORDERS, origin = 1n, publications = [publication()] } = {}) {
  return { serviceKey, version, origin, publications };
}

/** A change to publish. */
export function put(changes: Partial<Publication> = {}): PublishItem {
  return { kind: "put", publication: publication(changes) };
}

/** The end of a registration. */
export function removal({
  registId = "p1",
  version = 1n,
  registeredMs = NOW_MS,
  serviceKey = ORDERS,
} = {}): PublishItem {
  return { kind: "remove", removal: { serviceKey, registId, cause: "unpublished", stamp: { version, registeredMs } } };
}

/** A slot table in which each slot has this leader. */
export function tableOf(epoch: bigint, leaders: readonly NodeId[], leaderEpoch = epoch): SlotTable {
  return { epoch, slots: leaders.map((leader) => ({ leader, leaderEpoch, followers: [] })) };
}

/** Links to data nodes, and the messages that went over them. */
export function recordedLinks() {
  const sent: { readonly to: NodeId; readonly message: SessionToData }[] = [];
  const observed = new Map<string, number[]>();
  const links = new DataLinks((to, message) => sent.push({ to, message }), {
    sent: recordedHistogram(observed, "sent"),
    taken: recordedHistogram(observed, "taken"),
  });
  const ofKind = <Kind extends SessionToData["kind"]>(kind: Kind) =>
    sent.flatMap(({ message }) => (isOfKind(message, kind) ? [message] : []));
  return { links, sent, ofKind, observed };
}

function isOfKind<Kind extends SessionToData["kind"]>(
  message: SessionToData,
  kind: Kind,
): message is Extract<SessionToData, { kind: Kind }> {
  return message.kind === kind;
}

/**
 * Metrics that keep the last value of each gauge, the sum of each counter and all values of each histogram, by labels.
 */
export function recordedMetrics() {
  const values = new Map<string, number>();
  const observed = new Map<string, number[]>();
  const metrics: Metrics = {
    ...noMetrics,
    set: (name: string, ...rest: readonly [number, ...unknown[]]) => void values.set(name, rest[0]),
    add: (name: string, by: number, labels?: Readonly<Record<string, string>>) => {
      const key = [name, ...Object.values(labels ?? {})].join(" ");
      values.set(key, (values.get(key) ?? 0) + by);
    },
    counter: (name: string, labels?: Readonly<Record<string, string>>) => ({
      add: (by: number) => {
        const key = [name, ...Object.values(labels ?? {})].join(" ");
        values.set(key, (values.get(key) ?? 0) + by);
      },
    }),
    histogram: (name: string, labels?: Readonly<Record<string, string>>) =>
      recordedHistogram(observed, [name, ...Object.values(labels ?? {})].join(" ")),
  };
  return { metrics, values, observed };
}

function recordedHistogram(observed: Map<string, number[]>, key: string): HistogramPort {
  const all: number[] = [];
  observed.set(key, all);
  return { observe: (value) => void all.push(value) };
}

/** The service of that number. */
export function serviceOf(at: number): ServiceKey {
  return brandServiceKey(`service-${at}#@#I#@#G`);
}
