// The ways out: how a client of each protocol finds the instances of a service that take calls, and hears of changes.

import { Resolver } from "node:dns/promises";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import type { RunningServer } from "../../start.ts";
import { askEureka } from "../eurekaPort.ts";
import { type NacosMessage, TestNacosClient } from "../nacosClient.ts";
import { askNacos } from "../nacosPort.ts";
import { TestClient } from "../testClient.ts";
import { ZooKeeperClient } from "../zookeeperClient.ts";
import { row } from "./wanted.ts";
import { Repeated, Watched } from "./watched.ts";

/** A client that watches services. */
export interface FindingClient {
  watch(service: string): Promise<Watched>;
  close(): Promise<void>;
}

/** A column of the table: a way to find. */
export interface Finder {
  readonly name: string;
  /** How it hears of changes. */
  readonly hears: string;
  /** The things that its protocol can't show, for users. */
  readonly lacks: string;
  /** `services`: only that a service has instances. `addresses`: no metadata. */
  readonly shows: "instances" | "addresses" | "services";
  /** The registrar whose instances it reads as they were written, whatever operators' rules say. */
  readonly readsOwn?: string;
  connect(server: RunningServer): Promise<FindingClient>;
}

const POLL_MS = 100;
const CONSUL_WAIT = "20s";

interface Metadata {
  readonly color?: string;
  readonly weight?: string;
  readonly instance_status?: string;
}

interface NacosHost {
  readonly ip: string;
  readonly port: number;
  readonly weight: number;
  readonly metadata: Metadata;
  readonly healthy: boolean;
  readonly enabled: boolean;
}

/** The columns of the table. */
export const FINDERS: readonly Finder[] = [
  { name: "SOFARegistry", hears: "push", lacks: "–", shows: "instances", connect: connectSofa },
  { name: "Nacos by gRPC", hears: "push", lacks: "–", shows: "instances", connect: connectNacos },
  {
    name: "Nacos, fuzzy watch",
    hears: "push",
    lacks: "instances: it tells which services have some",
    shows: "services",
    connect: connectFuzzyWatch,
  },
  {
    name: "Nacos by HTTP",
    hears: "with the next question",
    lacks: "–",
    shows: "instances",
    connect: async (server) =>
      polling(async (service) => {
        const { json } = await askNacos(server, `GET /v1/ns/instance/list?serviceName=${service}&healthyOnly=true`);
        return nacosRows(json.hosts ?? []);
      }),
  },
  {
    name: "Eureka",
    hears: "with the next question",
    lacks: "–",
    shows: "instances",
    connect: async (server) => polling((service) => eurekaRows(server, service)),
  },
  { name: "Consul", hears: "blocking query", lacks: "–", shows: "instances", connect: connectConsul },
  {
    name: "ZooKeeper, Dubbo",
    hears: "watch",
    lacks: "operators' rules, for providers below its own path",
    shows: "instances",
    readsOwn: "ZooKeeper, Dubbo",
    connect: (server) => connectZooKeeper(server, followProviders),
  },
  {
    name: "ZooKeeper, Spring Cloud",
    hears: "watch",
    lacks: "operators' rules, for instances below its own path",
    shows: "instances",
    readsOwn: "ZooKeeper, Spring Cloud",
    connect: (server) => connectZooKeeper(server, followServices),
  },
  {
    name: "DNS",
    hears: "with the next question",
    lacks: "metadata",
    shows: "addresses",
    connect: async ({ ports }) => {
      const resolver = new Resolver({ timeout: 2_000, tries: 2 });
      resolver.setServers([`127.0.0.1:${ports.dns}`]);
      return polling((service) => srvRows(resolver, service));
    },
  },
];

/** A client of a protocol without a way to hear of changes: it asks again and again. */
function polling(find: (service: string) => Promise<readonly string[]>): FindingClient {
  return repeating((service, watched) => async (signal) => {
    watched.heard(await find(service));
    await sleep(POLL_MS, undefined, { signal });
  });
}

/** A client that does something for each service again and again. */
function repeating(turns: (service: string, watched: Watched) => (signal: AbortSignal) => Promise<unknown>) {
  const running: Repeated[] = [];
  return {
    watch: async (service: string) => {
      const watched = new Watched();
      running.push(new Repeated(watched, turns(service, watched)));
      return watched;
    },
    close: async () => {
      await Promise.all(running.map((each) => each.close()));
    },
  };
}

async function connectSofa(server: RunningServer): Promise<FindingClient> {
  const client = new TestClient(() => server.ports.bolt);
  const watched = new Map<string, Watched>();
  client.onList = (service, boxes) => watched.get(service)?.heard(boxes.map(sofaRow));
  return {
    watch: async (service) => {
      client.subscribe(service);
      return added(watched, service);
    },
    close: async () => client.close(),
  };
}

function sofaRow(box: string): string {
  const url = new URL(`sofa://${box}`);
  const weight = Number(url.searchParams.get("weight") ?? 100) / 100;
  return row(url.hostname, url.port, weight, url.searchParams.get("color"));
}

async function connectNacos(server: RunningServer): Promise<FindingClient> {
  const client = await TestNacosClient.connect(server);
  const watched = new Map<string, Watched>();
  const heard = ({ name, hosts }: NacosMessage["body"]) => watched.get(name)?.heard(nacosRows(hosts));
  client.onPushed = ({ type, body }) => {
    if (type === "NotifySubscriberRequest") heard(body.serviceInfo);
  };
  return {
    watch: async (service) => {
      const view = added(watched, service);
      const named = { namespace: "public", groupName: "DEFAULT_GROUP", serviceName: service, clusters: "" };
      const { body } = await client.ask("SubscribeServiceRequest", { ...named, subscribe: true });
      // A push may be faster than the answer.
      if (view.lists.length === 0) heard(body.serviceInfo);
      return view;
    },
    close: async () => client.close(),
  };
}

function nacosRows(hosts: readonly NacosHost[]): string[] {
  const callable = hosts.filter(({ healthy, enabled }) => healthy && enabled);
  return callable.map(({ ip, port, weight, metadata }) => row(ip, port, weight, metadata.color));
}

/** Its rows are the name of the service, while it is there. */
async function connectFuzzyWatch(server: RunningServer): Promise<FindingClient> {
  const client = await TestNacosClient.connect(server);
  const watched = new Map<string, Watched>();
  const told = ({ serviceKey, changedType }: { serviceKey: string; changedType: string }) => {
    const service = serviceKey.split("@@").at(-1) ?? "";
    watched.get(service)?.heard(changedType === "ADD_SERVICE" ? [service] : []);
  };
  client.onPushed = ({ type, body }) => {
    if (type === "NamingFuzzyWatchChangeNotifyRequest") told(body);
    if (type === "NamingFuzzyWatchSyncRequest") body.contexts.forEach(told);
  };
  return {
    watch: async (service) => {
      const view = added(watched, service);
      const groupKeyPattern = `public>>DEFAULT_GROUP>>${service}`;
      const watch = { namespace: "public", groupKeyPattern, receivedGroupKeys: [], initializing: true };
      await client.ask("NamingFuzzyWatchRequest", { ...watch, watchType: "WATCH" });
      return view;
    },
    close: async () => client.close(),
  };
}

function added(watched: Map<string, Watched>, service: string): Watched {
  const view = new Watched();
  watched.set(service, view);
  return view;
}

async function eurekaRows(server: RunningServer, service: string): Promise<string[]> {
  const { status, json } = await askEureka(server, `GET /apps/${service}`);
  if (status === 404) return [];
  const instances = json.application.instance as {
    ipAddr: string;
    port: { $: number };
    status: string;
    metadata: Metadata;
  }[];
  const up = instances.filter((instance) => instance.status === "UP");
  return up.map(({ ipAddr, port, metadata }) => row(ipAddr, port.$, metadata.weight ?? 1, metadata.color));
}

interface ConsulRow {
  readonly Service: { Address: string; Port: number; Weights: { Passing: number }; Meta: Metadata };
}

async function connectConsul({ ports }: RunningServer): Promise<FindingClient> {
  return repeating((service, watched) => {
    let index = "0";
    return async (signal) => {
      const query = `passing&index=${index}&wait=${CONSUL_WAIT}`;
      const url = `http://127.0.0.1:${ports.consul}/v1/health/service/${service}?${query}`;
      const answer = await fetch(url, { signal });
      const rows = (await answer.json()) as ConsulRow[];
      index = answer.headers.get("x-consul-index") ?? "0";
      watched.heard(
        rows.map(({ Service: { Address, Port, Weights, Meta } }) => row(Address, Port, Weights.Passing, Meta.color)),
      );
    };
  });
}

async function srvRows(resolver: Resolver, service: string): Promise<string[]> {
  const found = await resolver.resolveSrv(`${service}.service.consul`).catch(noName);
  return Promise.all(
    found.map(async ({ name, port, weight }) => row((await resolver.resolve4(name))[0] ?? "", port, weight, "")),
  );
}

/** A service without an instance that takes calls is no name. */
function noName(error: NodeJS.ErrnoException): [] {
  if (error.code === "ENOTFOUND") return [];
  throw error;
}

/** Reads a path once, with a watch; undefined: it is not there yet, and is asked for again. */
type ZooKeeperRead = (client: ZooKeeperClient) => Promise<readonly string[] | undefined>;

async function connectZooKeeper(
  server: RunningServer,
  follow: (client: ZooKeeperClient, service: string) => Promise<{ path: string; read: ZooKeeperRead }>,
): Promise<FindingClient> {
  const client = await ZooKeeperClient.connect(server.ports.zookeeper);
  const running: Repeated[] = [];
  return {
    watch: async (service) => {
      const { path, read } = await follow(client, service);
      const watched = new Watched();
      let changed = Promise.withResolvers<void>();
      client.watchers.add((each) => {
        if (each === path || each.startsWith(`${path}/`)) changed.resolve();
      });
      let stopped: Promise<unknown> | undefined;
      const turn = async (signal: AbortSignal) => {
        stopped ??= once(signal, "abort");
        changed = Promise.withResolvers<void>();
        const rows = await read(client);
        watched.heard(rows ?? []);
        await Promise.race([stopped, rows === undefined ? sleep(POLL_MS) : changed.promise]);
      };
      running.push(new Repeated(watched, turn));
      return watched;
    },
    close: async () => {
      await Promise.all(running.map((each) => each.close()));
      await client.close();
    },
  };
}

/** As Dubbo's consumers do: they make the path, and set a watch of its children each time. */
async function followProviders(client: ZooKeeperClient, service: string) {
  const path = `/dubbo/${service}/providers`;
  await client.create(path);
  const read: ZooKeeperRead = async () => {
    const names = (await client.childrenIfThere(path, { isWatched: true })) ?? [];
    const urls = names.map((name) => new URL(decodeURIComponent(name).replace(/^[^:]+/, "dubbo")));
    const enabled = urls.filter(({ searchParams }) => searchParams.get("enabled") !== "false");
    return enabled.map(({ hostname, port, searchParams }) =>
      row(hostname, port, Number(searchParams.get("weight") ?? 100) / 100, searchParams.get("color")),
    );
  };
  return { path, read };
}

/** As Spring Cloud's do: one watch of all that is below, and the data of each child. */
async function followServices(client: ZooKeeperClient, service: string) {
  const path = `/services/${service}`;
  await client.watchAll(path);
  const read: ZooKeeperRead = async () => {
    const names = await client.childrenIfThere(path);
    if (names === undefined) return undefined;
    const texts = await Promise.all(names.map((name) => client.get(`${path}/${name}`)));
    // A child that has gone meanwhile has no text; its event follows.
    return texts.filter((text) => text !== "").flatMap(springRow);
  };
  return { path, read };
}

function springRow(text: string): string[] {
  const { address, port, payload } = JSON.parse(text);
  const { weight, color, instance_status: status = "UP" } = payload.metadata as Metadata;
  return status === "UP" ? [row(address, port, weight ?? 1, color)] : [];
}
