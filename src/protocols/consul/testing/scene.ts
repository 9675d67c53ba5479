// Consul's paths without a server: on registrations and a store in memory. A registration is shown at once.

import assert from "node:assert/strict";
import { unlimitedBudget } from "../../../base/budget.ts";
import type { HttpRoute } from "../../../base/http.ts";
import { type Asked, asked } from "../../../base/testing/asked.ts";
import { clientId, nodeId, type ServiceKey } from "../../../model/ids.ts";
import { type Instance, packInstance } from "../../../model/instance.ts";
import type { Publication } from "../../../model/publication.ts";
import { parseServiceKey } from "../../../model/serviceKey.ts";
import { keysWith } from "../../../records/keys.ts";
import type { Records } from "../../../records/records.ts";
import { openMemoryRecords } from "../../../store/memory/memoryRecords.ts";
import { hostTimers } from "../../../transport/clock.ts";
import { hostSecrets } from "../../../transport/secrets.ts";
import { type ClientAccess, type ClientWish, OPEN_ACCESS } from "../../kit/clientAccess.ts";
import { type JudgedRoute, judgedRoutes } from "../../kit/judgedRoutes.ts";
import { accessBy } from "../../kit/testing/fakeAccess.ts";
import { Blocking } from "../blocking.ts";
import { Catalogue } from "../catalogue.ts";
import { agentRoutes } from "../http/agentRoutes.ts";
import { catalogWriteRoutes } from "../http/catalogWriteRoutes.ts";
import { configRoutes } from "../http/configRoutes.ts";
import { eventRoutes } from "../http/eventRoutes.ts";
import { gatewayRoutes } from "../http/gatewayRoutes.ts";
import { kvRoutes } from "../http/kvRoutes.ts";
import type { RouteParts } from "../http/parts.ts";
import { queryRoutes } from "../http/queryRoutes.ts";
import { readRoutes } from "../http/readRoutes.ts";
import { type SessionParts, sessionRoutes } from "../http/sessionRoutes.ts";
import { statusRoutes } from "../http/statusRoutes.ts";
import { txnRoutes } from "../http/txnRoutes.ts";
import { DOCUMENTS } from "../kv/documents.ts";
import { KvStore } from "../kv/store.ts";
import { serviceKeyOf } from "../own.ts";
import { Writes } from "../writes.ts";
import { PersistentInMemory } from "./persistentInMemory.ts";

const NOW_MS = 1_700_000_000_000;
/** The agent's node. */
export const AGENT = { name: "roster", id: "", address: "10.0.0.100" } as const;

export interface SceneCaller {
  /** Undefined: it may do everything. */
  readonly isAllowed?: (wish: ClientWish) => boolean;
  /** Its address. */
  readonly from?: string;
}

export class ConsulScene {
  readonly persistent = new PersistentInMemory();
  readonly catalogue: Catalogue;
  readonly #routes: readonly JudgedRoute[];
  readonly #openRoutes: readonly JudgedRoute[];
  readonly #store: KvStore;
  readonly #records: Records;
  #version = 1n;

  /** Opens a scene on an empty store. */
  static async open(): Promise<ConsulScene> {
    return new ConsulScene(await openMemoryRecords());
  }

  private constructor(records: Records) {
    this.#records = records;
    const { persistent } = this;
    const nowMs = () => NOW_MS;
    const budget = unlimitedBudget();
    const blocking = new Blocking({ budget, later: queueMicrotask, timers: hostTimers });
    const { topics } = blocking;
    const failed = (error: unknown) => assert.fail(String(error));
    const agentNode = () => AGENT;
    const catalogue = new Catalogue({ persistent, topics, agentNode, version: "1.22.3", nowMs });
    const store = new KvStore({ records, topics, nowMs, unread: failed, failed });
    persistent.onChange(({ serviceKey }) => this.#list(serviceKey));
    this.catalogue = catalogue;
    const parts: RouteParts & SessionParts = {
      ...{ catalogue, blocking, agentNode, nowMs, store },
      held: { when: (_state, atMs, then) => then(catalogue, atMs) },
      writes: new Writes({ persistent, budget, whenShown: (_key, _untilMs, then) => then() }),
      ...{ datacenter: "dc1", zone: "", version: "1.22.3", servers: () => [AGENT.address], secrets: hostSecrets },
    };
    const keys = [...kvRoutes(parts), ...sessionRoutes(parts), ...txnRoutes(parts), ...eventRoutes(parts)];
    const documents = [...configRoutes(parts), ...gatewayRoutes(parts), ...queryRoutes(parts)];
    this.#routes = [...keys, ...documents, ...readRoutes(parts), ...agentRoutes(parts), ...catalogWriteRoutes(parts)];
    this.#openRoutes = statusRoutes(parts);
    this.#store = store;
  }

  async close(): Promise<void> {
    this.#store.close();
    await this.#records.close();
  }

  /** Does the work of the node that comes twice a second. */
  async check(): Promise<void> {
    this.#store.check(NOW_MS, () => true);
    await this.#store.catchUp();
  }

  /** The ends of the keys of records of a kind. */
  async recordsOf(kind: keyof typeof DOCUMENTS): Promise<string[]> {
    const page = await this.#records.range(keysWith(DOCUMENTS[kind]));
    assert.ok(page.kind === "page");
    return page.records.map(({ key }) => key.slice(DOCUMENTS[kind].length));
  }

  /** All paths about clients, judged by `access`. */
  routesBy(access: ClientAccess): readonly HttpRoute[] {
    return judgedRoutes(this.#routes, { access });
  }

  /** Asks `PUT /catalog/register` and the like, below /v1, with a body in JSON, or a text as it is. */
  async ask(what: string, body?: object | string, { isAllowed, from }: SceneCaller = {}): Promise<Asked> {
    const [method = "", target = ""] = what.split(" ");
    const url = new URL(`http://agent/v1${target}`);
    const access = isAllowed === undefined ? OPEN_ACCESS : accessBy(isAllowed);
    const routes = [...this.routesBy(access), ...judgedRoutes(this.#openRoutes, { access })];
    const { route, params } = routeOf(routes, method, url.pathname);
    const text = typeof body === "object" ? JSON.stringify(body) : body;
    const sent = text === undefined ? undefined : new TextEncoder().encode(text);
    const query = Object.fromEntries(url.searchParams);
    const changes = { path: url.pathname, params, query, body: sent, remoteAddress: from ?? "127.0.0.1" };
    return asked(routes, `${route.method} ${route.path}`, changes);
  }

  /** Puts the list of a service, as instances of another protocol make it. */
  listed(name: string, instances: readonly Instance[]): void {
    const serviceKey = serviceKeyOf(name);
    const publications = instances.map((instance) => publicationOf(serviceKey, `at ${instance.host}`, instance));
    this.#set(serviceKey, publications);
  }

  #list(serviceKey: ServiceKey): void {
    const { name } = parseServiceKey(serviceKey);
    if (serviceKey !== serviceKeyOf(name)) return;
    const kept = [...this.persistent.list(serviceKey)];
    this.#set(
      serviceKey,
      kept.map(({ registration: { registId, instance }, isHealthy }) =>
        publicationOf(serviceKey, registId, { ...instance, isHealthy }),
      ),
    );
  }

  #set(serviceKey: ServiceKey, publications: readonly Publication[]): void {
    const list = new Map(publications.map((publication) => [publication.registId, publication]));
    this.catalogue.set(serviceKey, list.size === 0 ? undefined : list, ++this.#version);
  }
}

function publicationOf(serviceKey: ServiceKey, registId: string, instance: Instance): Publication {
  const owner = { session: nodeId("s.1"), client: clientId("c") };
  const fixed = { version: 1n, registeredMs: NOW_MS, owner, zone: "", appName: "", attributes: new Map() };
  return { serviceKey, registId, payload: packInstance(instance), ...fixed };
}

/** The route of a path, the one without parameters before others. */
function routeOf(routes: readonly HttpRoute[], method: string, path: string) {
  const found = routes.flatMap((route) => {
    const names = [...route.path.matchAll(/:(\w+)|\*/g)].map(([, name = "*"]) => name);
    const form = new RegExp(`^${route.path.replace(/:\w+/g, "([^/]+)").replace("*", "(.*)")}$`);
    const values = route.method === method ? form.exec(path)?.slice(1) : undefined;
    if (values === undefined) return [];
    const params = Object.fromEntries(names.map((name, at) => [name, decodeURIComponent(values[at] ?? "")]));
    return [{ route, params }];
  });
  found.sort((one, other) => Object.keys(one.params).length - Object.keys(other.params).length);
  const [first] = found;
  assert.ok(first !== undefined, `no route ${method} ${path}`);
  return first;
}
