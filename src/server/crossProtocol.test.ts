// One registry for all protocols: what clients of one register, change, disable and take back is what clients of every
// other one find, with the same address, weight, metadata and state.

import assert from "node:assert/strict";
import { Resolver } from "node:dns/promises";
import { after, before, test } from "node:test";
import type { RunningServer } from "./start.ts";
import { askConsul } from "./testing/consulPort.ts";
import { askEureka, eurekaBody, eurekaPath } from "./testing/eurekaPort.ts";
import { eventually } from "./testing/eventually.ts";
import { TestNacosClient } from "./testing/nacosClient.ts";
import { askNacos } from "./testing/nacosPort.ts";
import { TestClient } from "./testing/testClient.ts";
import { TestNodes } from "./testing/testNodes.ts";

const PORT = 8_080;

/** The state of the one instance that is registered. */
interface Wanted {
  readonly host: string;
  /** A whole number, since SOFARegistry's clients and DNS know no others. */
  readonly weight: number;
  readonly color: string;
  readonly isEnabled: boolean;
}

/** A protocol's way to register one instance; `apply` does so again when something has changed. */
interface Registrar {
  readonly name: string;
  apply(service: string, wanted: Wanted): Promise<unknown>;
  remove(service: string, wanted: Wanted): Promise<unknown>;
  /** The protocol has no word for an instance that is registered and takes no calls. */
  readonly knowsNoDisabling?: boolean;
}

/** A protocol's view of a service: the rows (`row`) of all instances that take calls. */
interface Finder {
  readonly name: string;
  find(service: string): Promise<readonly string[]>;
  readonly lacks?: "color";
}

const nodes = new TestNodes();
const closing: (() => void)[] = [];
after(async () => {
  for (const close of closing) close();
  await nodes.close();
});

let server: RunningServer;
let sofaPublisher: TestClient | undefined;
let sofaSubscriber: TestClient;
let nacos: TestNacosClient;
const resolver = new Resolver({ timeout: 2_000, tries: 2 });

before(async () => {
  server = await nodes.start(["meta", "data", "session"]);
  sofaSubscriber = new TestClient(() => server.ports.bolt ?? 0);
  nacos = await TestNacosClient.connect(server);
  closing.push(
    () => sofaPublisher?.close(),
    () => sofaSubscriber.close(),
    () => nacos.close(),
  );
  resolver.setServers([`127.0.0.1:${server.ports.dns}`]);
});

function nacosForm(service: string, { host, weight, color, isEnabled }: Wanted, more: object = {}) {
  const metadata = JSON.stringify({ color });
  return { serviceName: service, ip: host, port: String(PORT), weight, enabled: isEnabled, metadata, ...more };
}

function nacosBody(type: string, service: string, { host, weight, color, isEnabled }: Wanted) {
  const state = { weight, enabled: isEnabled, healthy: true, ephemeral: true, metadata: { color } };
  const instance = { ip: host, port: PORT, ...state };
  return { namespace: "public", groupName: "DEFAULT_GROUP", serviceName: service, type, instance };
}

const REGISTRARS: readonly Registrar[] = [
  {
    name: "sofa",
    knowsNoDisabling: true,
    apply: async (service, { host, weight, color }) => {
      sofaPublisher?.close();
      sofaPublisher = new TestClient(() => server.ports.bolt ?? 0);
      sofaPublisher.publish(service, `${host}:${PORT}?color=${color}&weight=${weight * 100}`);
    },
    remove: async () => sofaPublisher?.close(),
  },
  {
    name: "nacos-grpc",
    apply: (service, wanted) => nacos.ask("InstanceRequest", nacosBody("registerInstance", service, wanted)),
    remove: (service, wanted) => nacos.ask("InstanceRequest", nacosBody("deregisterInstance", service, wanted)),
  },
  {
    name: "nacos-http",
    apply: (service, wanted) => askNacos(server, "POST /v1/ns/instance", nacosForm(service, wanted)),
    remove: (service, { host }) =>
      askNacos(server, `DELETE /v1/ns/instance?serviceName=${service}&ip=${host}&port=${PORT}`),
  },
  {
    name: "nacos-persistent",
    apply: (service, wanted) =>
      askNacos(server, "POST /v1/ns/instance", nacosForm(service, wanted, { ephemeral: false })),
    remove: (service, { host }) =>
      askNacos(server, `DELETE /v1/ns/instance?serviceName=${service}&ip=${host}&port=${PORT}&ephemeral=false`),
  },
  {
    name: "eureka",
    // The status that a client registers with counts the first time; later it is set.
    apply: async (service, { host, weight, color, isEnabled }) => {
      const changes = {
        ipAddr: host,
        port: { $: PORT, "@enabled": "true" },
        metadata: { color, weight: String(weight) },
        lastDirtyTimestamp: String(Date.now()),
      };
      await askEureka(server, `POST /apps/${service}`, eurekaBody(service, changes));
      const [method, value] = isEnabled ? ["DELETE", "UP"] : ["PUT", "OUT_OF_SERVICE"];
      await askEureka(server, `${method} ${eurekaPath(service)}/status?value=${value}`);
    },
    remove: (service) => askEureka(server, `DELETE ${eurekaPath(service)}`),
  },
  {
    name: "consul",
    apply: async (service, { host, weight, color, isEnabled }) => {
      const definition = { Name: service, Address: host, Port: PORT, Meta: { color }, Weights: { Passing: weight } };
      await askConsul(server, "PUT /agent/service/register", definition);
      await askConsul(server, `PUT /agent/service/maintenance/${service}?enable=${!isEnabled}`);
    },
    remove: (service) => askConsul(server, `PUT /agent/service/deregister/${service}`),
  },
];

interface Meta {
  readonly color?: string;
}

const FINDERS: readonly Finder[] = [
  {
    name: "sofa",
    find: async (service) =>
      (sofaSubscriber.lists.get(service)?.at(-1) ?? []).map((box) => {
        const url = new URL(`sofa://${box}`);
        const weight = Number(url.searchParams.get("weight") ?? 100) / 100;
        return row(url.hostname, url.port, weight, url.searchParams.get("color"));
      }),
  },
  {
    name: "nacos",
    find: async (service) => {
      const { json } = await askNacos(server, `GET /v1/ns/instance/list?serviceName=${service}&healthyOnly=true`);
      const hosts = (json.hosts ?? []) as { ip: string; port: number; weight: number; metadata: Meta }[];
      return hosts.map(({ ip, port, weight, metadata }) => row(ip, port, weight, metadata.color));
    },
  },
  {
    name: "eureka",
    find: async (service) => {
      const { status, json } = await askEureka(server, `GET /apps/${service}`);
      if (status === 404) return [];
      const instances = json.application.instance as {
        ipAddr: string;
        port: { $: number };
        status: string;
        metadata: { weight?: string; color?: string };
      }[];
      const up = instances.filter((instance) => instance.status === "UP");
      return up.map(({ ipAddr, port, metadata }) => row(ipAddr, port.$, metadata.weight ?? 1, metadata.color));
    },
  },
  {
    name: "consul",
    find: async (service) => {
      const { json } = await askConsul(server, `GET /health/service/${service}?passing`);
      const rows = json as { Service: { Address: string; Port: number; Weights: { Passing: number }; Meta: Meta } }[];
      return rows.map(({ Service: { Address, Port, Weights, Meta } }) =>
        row(Address, Port, Weights.Passing, Meta.color),
      );
    },
  },
  {
    name: "dns",
    lacks: "color",
    find: async (service) => {
      const found = await resolver.resolveSrv(`${service}.service.consul`).catch(() => []);
      return Promise.all(
        found.map(async ({ name, port, weight }) => row((await resolver.resolve4(name))[0] ?? "", port, weight, "")),
      );
    },
  },
];

/** What is compared; the color is empty where a protocol has no metadata. */
function row(host: string, port: string | number, weight: string | number, color: string | null | undefined): string {
  return `${host}:${port} ${Number(weight)} ${color ?? ""}`;
}

/** Every protocol finds exactly this. */
async function allFind(service: string, wanted: Wanted | undefined): Promise<void> {
  for (const { name, lacks, find } of FINDERS) {
    const { host, weight, color } = wanted ?? { host: "", weight: 0, color: "" };
    const expected = wanted === undefined ? [] : [row(host, PORT, weight, lacks === "color" ? "" : color)];
    const found = await eventually(
      () => find(service),
      (rows) => rows.join() === expected.join(),
    ).catch((error) => error);
    assert.ok(!(found instanceof Error), `${name} should find [${expected.join()}]: ${found}`);
  }
}

for (const [at, registrar] of REGISTRARS.entries()) {
  const service = `cross-${registrar.name}`;
  const first: Wanted = { host: `10.7.0.${at + 1}`, weight: 2, color: "blue", isEnabled: true };

  test(`${registrar.name}: an instance is found by the clients of all protocols, and so are its changes`, async () => {
    sofaSubscriber.subscribe(service);
    await registrar.apply(service, first);
    await allFind(service, first);
    const changed = { ...first, weight: 3, color: "green" };
    await registrar.apply(service, changed);
    await allFind(service, changed);
    if (registrar.knowsNoDisabling !== true) {
      await registrar.apply(service, { ...changed, isEnabled: false });
      await allFind(service, undefined);
      await registrar.apply(service, changed);
      await allFind(service, changed);
    }
    await registrar.remove(service, changed);
    await allFind(service, undefined);
  });
}
