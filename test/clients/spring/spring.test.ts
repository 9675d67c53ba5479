// Applications of Spring Cloud Netflix and of Spring Cloud Alibaba on one server: each calls providers of both kinds by
// their names, and finds out that they were killed. A value of the configuration is changed, and one that was taken out
// registers again. Applications of Spring Cloud Consul and of Spring Cloud Zookeeper call each other in the same way.
// `scripts/testEureka.ts` builds them.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { type TestContext, test } from "node:test";
import { defined } from "../../../src/base/assert.ts";
import { startProcess } from "../../../src/cli/testing/serverProcess.ts";
import { eventually } from "../../../src/server/testing/eventually.ts";
import { freePort } from "../nodes.ts";

const CLASS_PATH = defined(process.env["SPRING_CLASSES"], "SPRING_CLASSES, which scripts/testEureka.ts sets");

// Clients compute the port for gRPC from the other one.
const GRPC_OFFSET = 1_000;
// An application starts in four seconds where there is nothing else to do.
const SEEN_MS = 90_000;

interface Ports {
  readonly eureka: string;
  readonly nacos: string;
  readonly consul: string;
  readonly zookeeper: string;
}

interface Application {
  readonly child: ChildProcess;
  readonly address: string;
  readonly get: (path: string) => Promise<string>;
}

/** What switches a registry off: all of them are on the class path. */
const WITHOUT = {
  eureka: ["--eureka.client.enabled=false"],
  nacos: [
    "--spring.cloud.nacos.discovery.enabled=false",
    "--spring.cloud.nacos.config.enabled=false",
    "--spring.cloud.nacos.config.import-check.enabled=false",
  ],
  consul: ["--spring.cloud.consul.enabled=false"],
  zookeeper: ["--spring.cloud.zookeeper.enabled=false"],
} as const;

const KINDS = {
  eureka: ({ eureka }: Ports) => [
    `--eureka.client.service-url.defaultZone=http://127.0.0.1:${eureka}/eureka/`,
    "--eureka.client.registry-fetch-interval-seconds=1",
    "--eureka.client.initial-instance-info-replication-interval-seconds=0",
    "--eureka.instance.lease-renewal-interval-in-seconds=1",
    "--eureka.instance.lease-expiration-duration-in-seconds=3",
    "--eureka.instance.prefer-ip-address=true",
    "--eureka.instance.ip-address=127.0.0.1",
    "--eureka.instance.instance-id=one",
    ...WITHOUT.nacos,
    ...WITHOUT.consul,
    ...WITHOUT.zookeeper,
    "--greeting=by Eureka",
  ],
  nacos: ({ nacos }: Ports) => [
    `--spring.cloud.nacos.server-addr=127.0.0.1:${nacos}`,
    "--spring.cloud.nacos.discovery.ip=127.0.0.1",
    "--spring.config.import=nacos:greetings.properties",
    ...WITHOUT.eureka,
    ...WITHOUT.consul,
    ...WITHOUT.zookeeper,
  ],
  consul: ({ consul }: Ports) => [
    "--spring.cloud.consul.host=127.0.0.1",
    `--spring.cloud.consul.port=${consul}`,
    "--spring.cloud.consul.discovery.hostname=127.0.0.1",
    "--spring.cloud.consul.discovery.heartbeat.enabled=true",
    "--spring.cloud.consul.discovery.heartbeat.ttl=3s",
    "--spring.cloud.consul.discovery.query-passing=true",
    ...WITHOUT.eureka,
    ...WITHOUT.nacos,
    ...WITHOUT.zookeeper,
    "--greeting=by Consul",
  ],
  zookeeper: ({ zookeeper }: Ports) => [
    `--spring.cloud.zookeeper.connect-string=127.0.0.1:${zookeeper}`,
    "--spring.cloud.zookeeper.session-timeout=4s",
    "--spring.cloud.zookeeper.discovery.instance-host=127.0.0.1",
    ...WITHOUT.eureka,
    ...WITHOUT.nacos,
    ...WITHOUT.consul,
    "--greeting=by ZooKeeper",
  ],
} as const;

/** Starts an application; it ends with the test. */
async function start(t: TestContext, kind: keyof typeof KINDS, name: string, ports: Ports): Promise<Application> {
  const port = await freePort();
  const own = [`--server.port=${port}`, `--spring.application.name=${name}`];
  const always = ["--spring.cloud.loadbalancer.cache.enabled=false", "--logging.level.root=OFF"];
  const args = [...own, ...always, "--spring.main.banner-mode=off", ...KINDS[kind](ports)];
  const child = spawn("java", ["-XX:TieredStopAtLevel=1", "-cp", CLASS_PATH, "roster.spring.Main", ...args], {
    stdio: "inherit",
  });
  t.after(() => void child.kill("SIGKILL"));
  const get = async (path: string): Promise<string> => {
    try {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`);
      return answer.ok ? await answer.text() : `status ${answer.status}`;
    } catch (error) {
      return String(error);
    }
  };
  return { child, address: `127.0.0.1:${port}`, get };
}

async function publish({ nacos }: Ports, greeting: string): Promise<void> {
  const body = new URLSearchParams({ dataId: "greetings.properties", group: "DEFAULT_GROUP" });
  body.set("content", `greeting=${greeting}`);
  const answer = await fetch(`http://127.0.0.1:${nacos}/nacos/v1/cs/configs`, { method: "POST", body });
  assert.equal(answer.status, 200);
}

async function says({ get }: Application, path: string, expected: string): Promise<void> {
  await eventually(
    () => get(path),
    (text) => text === expected,
    SEEN_MS,
  );
}

test("applications of Spring Cloud Netflix and Alibaba call each other, and see the killed ones go", async (t) => {
  const http = await freePort();
  const flags = { "nacos-port": Number(http), "nacos-grpc-port": Number(http) + GRPC_OFFSET };
  const { eureka, consul, zookeeper } = await startProcess(t, { flags }).line("roster is ready");
  const ports: Ports = { eureka: `${eureka}`, nacos: http, consul: `${consul}`, zookeeper: `${zookeeper}` };
  await publish(ports, "by Nacos");
  const [byEureka, callsByEureka] = await Promise.all([
    start(t, "eureka", "stock", ports),
    start(t, "eureka", "shop", ports),
  ]);
  await says(callsByEureka, "/call/stock", "by Eureka");
  const [byNacos, callsByNacos] = await Promise.all([
    start(t, "nacos", "orders", ports),
    start(t, "nacos", "desk", ports),
  ]);
  await says(callsByNacos, "/call/orders", "by Nacos");
  await says(callsByEureka, "/call/orders", "by Nacos");
  await says(callsByNacos, "/call/stock", "by Eureka");

  await publish(ports, "changed");
  await says(callsByNacos, "/call/orders", "changed");

  const url = `http://127.0.0.1:${ports.eureka}/eureka/apps/STOCK/one`;
  assert.equal((await fetch(url, { method: "DELETE" })).status, 200);
  await eventually(
    async () => (await fetch(url)).status,
    (status) => status === 200,
    SEEN_MS,
  );

  for (const caller of [callsByEureka, callsByNacos]) {
    await says(caller, "/list/stock", byEureka.address);
    await says(caller, "/list/orders", byNacos.address);
  }
  for (const { child } of [byEureka, byNacos]) child.kill("SIGKILL");
  for (const caller of [callsByEureka, callsByNacos]) {
    await says(caller, "/list/stock", "");
    await says(caller, "/list/orders", "");
  }
});

test("applications of Spring Cloud Consul and Zookeeper call each other, also when killed and back", async (t) => {
  const { consul, zookeeper } = await startProcess(t).line("roster is ready");
  const ports: Ports = { eureka: "", nacos: "", consul: `${consul}`, zookeeper: `${zookeeper}` };
  const [byConsul, byZooKeeper] = await Promise.all([
    start(t, "consul", "stock", ports),
    start(t, "zookeeper", "orders", ports),
  ]);
  for (const caller of [byConsul, byZooKeeper]) {
    await says(caller, "/call/stock", "by Consul");
    await says(caller, "/call/orders", "by ZooKeeper");
    await says(caller, "/list/stock", byConsul.address);
    await says(caller, "/list/orders", byZooKeeper.address);
  }
  byConsul.child.kill("SIGKILL");
  await says(byZooKeeper, "/list/stock", "");
  const again = await start(t, "consul", "stock", ports);
  await says(byZooKeeper, "/call/stock", "by Consul");
  byZooKeeper.child.kill("SIGKILL");
  await says(again, "/list/orders", "");
});
