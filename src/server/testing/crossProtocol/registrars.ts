// The ways in: how a client of each protocol registers an instance, changes it, and goes.

import assert from "node:assert/strict";
import type { Publisher } from "../../../protocols/sofa/client/registration.ts";
import type { RunningServer } from "../../start.ts";
import { askConsul } from "../consulPort.ts";
import { askEureka, eurekaBody, eurekaPath } from "../eurekaPort.ts";
import { TestNacosClient } from "../nacosClient.ts";
import { askNacos } from "../nacosPort.ts";
import { TestClient } from "../testClient.ts";
import { EPHEMERAL, ZooKeeperClient } from "../zookeeperClient.ts";
import { PORT, type Wanted } from "./wanted.ts";

/** A client that keeps one instance of a service registered. */
export interface RegisteringClient {
  /** Registers the instance, or does so again when something has changed. */
  apply(wanted: Wanted): Promise<unknown>;
  /** Takes the instance back, and ends in order. */
  remove(wanted: Wanted): Promise<unknown>;
  /** Goes without a word, as by `kill -9`. Returns when it was last heard of, by `performance.now()`. */
  kill(): number;
}

/** A row of the table: a way to register. */
export interface Registrar {
  readonly name: string;
  /** How its clients take an instance out of all lists that stays registered; undefined: only operators can. */
  readonly disables: string | undefined;
  /** When the instance of a client that was killed has left all lists, as users have it. */
  readonly leaves: string;
  /** The same with the times of this client; undefined: the instance stays until it is taken back. */
  readonly leavesAfterMs: number | undefined;
  connect(server: Pick<RunningServer, "ports">, service: string): Promise<RegisteringClient>;
}

const GRACE_MS = 1_000;
// The shortest that all protocols allow; the heartbeats are frequent, since a small machine may be late with some.
const LEASE_MS = 3_000;
const BEAT_MS = 500;
const ZOOKEEPER_TIMEOUT_MS = 4_000;

/** The rows of the table. */
export const REGISTRARS: readonly Registrar[] = [
  {
    name: "SOFARegistry",
    disables: undefined,
    leaves: "1 s after its connection (`client-return-grace-ms`)",
    leavesAfterMs: GRACE_MS,
    connect: async (server, service) => {
      const client = new TestClient(() => server.ports.bolt);
      let publisher: Publisher | undefined;
      return {
        apply: async ({ host, weight, color }) => {
          const box = `${host}:${PORT}?color=${color}&weight=${weight * 100}`;
          if (publisher === undefined) publisher = client.publish(service, box);
          else client.republish(publisher, box);
        },
        remove: async () => {
          if (publisher !== undefined) client.unpublish(publisher);
          client.close();
        },
        kill: killed(() => client.close()),
      };
    },
  },
  {
    name: "Nacos by gRPC",
    disables: "`enabled`",
    leaves: "1 s after its connection (`client-return-grace-ms`)",
    leavesAfterMs: GRACE_MS,
    connect: async (server, service) => {
      const client = await TestNacosClient.connect(server);
      const ask = async (type: string, wanted: Wanted) => {
        const { body } = await client.ask("InstanceRequest", nacosBody(type, service, wanted));
        assert.equal(body.resultCode, 200, body.message);
      };
      return {
        apply: (wanted) => ask("registerInstance", wanted),
        remove: async (wanted) => {
          await ask("deregisterInstance", wanted);
          client.close();
        },
        kill: killed(() => client.close()),
      };
    },
  },
  {
    name: "Eureka",
    disables: "`OUT_OF_SERVICE`",
    leaves: "90 s after its last heartbeat (`durationInSecs`)",
    leavesAfterMs: LEASE_MS,
    connect: async (server, service) => {
      const beats = new Heartbeats(() => askEureka(server, `PUT ${eurekaPath(service)}`));
      return {
        // The status that a client registers with counts the first time; later it is set.
        apply: async ({ host, weight, color, isEnabled }) => {
          const changes = {
            ipAddr: host,
            port: { $: PORT, "@enabled": "true" },
            leaseInfo: { renewalIntervalInSecs: 1, durationInSecs: LEASE_MS / 1_000 },
            metadata: { color, weight: String(weight) },
            lastDirtyTimestamp: String(Date.now()),
          };
          await done(askEureka(server, `POST /apps/${service}`, eurekaBody(service, changes)));
          beats.start();
          const [method, value] = isEnabled ? ["DELETE", "UP"] : ["PUT", "OUT_OF_SERVICE"];
          await done(askEureka(server, `${method} ${eurekaPath(service)}/status?value=${value}`));
        },
        remove: () => {
          beats.stop();
          return done(askEureka(server, `DELETE ${eurekaPath(service)}`));
        },
        kill: () => beats.stop(),
      };
    },
  },
  {
    name: "Nacos by HTTP",
    disables: "`enabled`",
    leaves:
      "15 s after its last heartbeat, and is gone after 30 s (`preserved.heart.beat.timeout`, `preserved.ip.delete.timeout`)",
    leavesAfterMs: LEASE_MS,
    connect: async (server, service) => {
      let address = "";
      const beats = new Heartbeats(() =>
        askNacos(server, `PUT /v1/ns/instance/beat?serviceName=${service}&${address}`),
      );
      const times = { "preserved.heart.beat.timeout": LEASE_MS, "preserved.ip.delete.timeout": LEASE_MS + 1_000 };
      return {
        apply: async (wanted) => {
          address = `ip=${wanted.host}&port=${PORT}`;
          await done(askNacos(server, "POST /v1/ns/instance", nacosForm(service, wanted, times)));
          beats.start();
        },
        remove: () => {
          beats.stop();
          return done(askNacos(server, `DELETE /v1/ns/instance?serviceName=${service}&${address}`));
        },
        kill: () => beats.stop(),
      };
    },
  },
  {
    name: "Consul",
    disables: "maintenance",
    leaves: "the TTL of its check after its last report; without a check it stays",
    leavesAfterMs: LEASE_MS,
    connect: async (server, service) => {
      const beats = new Heartbeats(() => askConsul(server, `PUT /agent/check/pass/service:${service}`));
      return {
        apply: async ({ host, weight, color, isEnabled }) => {
          const check = { TTL: `${LEASE_MS}ms`, Status: "passing" };
          const instance = { Name: service, Address: host, Port: PORT, Meta: { color }, Weights: { Passing: weight } };
          await done(askConsul(server, "PUT /agent/service/register", { ...instance, Check: check }));
          beats.start();
          await done(askConsul(server, `PUT /agent/service/maintenance/${service}?enable=${!isEnabled}`));
        },
        remove: () => {
          beats.stop();
          return done(askConsul(server, `PUT /agent/service/deregister/${service}`));
        },
        kill: () => beats.stop(),
      };
    },
  },
  {
    name: "Nacos, persistent",
    disables: "`enabled`",
    leaves: "never: it stays until it is taken back",
    leavesAfterMs: undefined,
    connect: async (server, service) => ({
      apply: (wanted) =>
        done(askNacos(server, "POST /v1/ns/instance", { ...nacosForm(service, wanted), ephemeral: false })),
      remove: ({ host }) => {
        const instance = `serviceName=${service}&ip=${host}&port=${PORT}&ephemeral=false`;
        return done(askNacos(server, `DELETE /v1/ns/instance?${instance}`));
      },
      kill: killed(() => undefined),
    }),
  },
  {
    name: "ZooKeeper, Dubbo",
    disables: "`enabled=false`",
    leaves: "its session's timeout after its last ping (4 to 40 s)",
    leavesAfterMs: ZOOKEEPER_TIMEOUT_MS,
    connect: async (server, service) => {
      const client = await ZooKeeperClient.connect(server.ports.zookeeper, { timeoutMs: ZOOKEEPER_TIMEOUT_MS });
      let path = "";
      return {
        // A provider that changes has another name.
        apply: async ({ host, weight, color, isEnabled }) => {
          const parameters = `interface=${service}&color=${color}&weight=${weight * 100}&enabled=${isEnabled}`;
          const before = path;
          const url = `dubbo://${host}:${PORT}/${service}?${parameters}`;
          path = `/dubbo/${service}/providers/${encodeURIComponent(url)}`;
          assert.equal(await client.create(path, "", EPHEMERAL), 0);
          if (before !== "" && before !== path) await client.delete(before);
        },
        remove: async () => {
          await client.delete(path);
          await client.close();
        },
        kill: () => {
          client.kill();
          return client.saidMs;
        },
      };
    },
  },
  {
    name: "ZooKeeper, Spring Cloud",
    disables: "`OUT_OF_SERVICE`",
    leaves: "its session's timeout after its last ping (4 to 40 s)",
    leavesAfterMs: ZOOKEEPER_TIMEOUT_MS,
    connect: async (server, service) => {
      const client = await ZooKeeperClient.connect(server.ports.zookeeper, { timeoutMs: ZOOKEEPER_TIMEOUT_MS });
      const path = `/services/${service}/instance-1`;
      return {
        apply: async ({ host, weight, color, isEnabled }) => {
          const status = isEnabled ? "UP" : "OUT_OF_SERVICE";
          const payload = { metadata: { color, weight: String(weight), instance_status: status } };
          const data = JSON.stringify({ name: service, id: "instance-1", address: host, port: PORT, payload });
          if ((await client.create(path, data, EPHEMERAL)) !== 0) assert.equal(await client.setData(path, data), 0);
        },
        remove: async () => {
          await client.delete(path);
          await client.close();
        },
        kill: () => {
          client.kill();
          return client.saidMs;
        },
      };
    },
  },
];

/** A request by HTTP that has to succeed. */
async function done(asked: Promise<{ readonly status: number; readonly text: string }>): Promise<void> {
  const { status, text } = await asked;
  assert.ok(status < 300, `${status} ${text}`);
}

/** A client whose connection says that it lives: it is heard of until the moment of its death. */
function killed(kill: () => void): () => number {
  return () => {
    kill();
    return performance.now();
  };
}

/** Heartbeats from the first `start` to `stop`. */
class Heartbeats {
  readonly #beat: () => Promise<unknown>;
  #timer: NodeJS.Timeout | undefined;
  #lastMs = 0;

  constructor(beat: () => Promise<unknown>) {
    this.#beat = beat;
  }

  start(): void {
    this.#lastMs = performance.now();
    this.#timer ??= setInterval(() => {
      this.#lastMs = performance.now();
      // One that is lost is followed by the next one.
      this.#beat().catch(() => undefined);
    }, BEAT_MS);
  }

  /** Returns when the client was last heard of. */
  stop(): number {
    clearInterval(this.#timer);
    return this.#lastMs;
  }
}

function nacosForm(service: string, { host, weight, color, isEnabled }: Wanted, more: object = {}) {
  const metadata = JSON.stringify({ color, ...more });
  return { serviceName: service, ip: host, port: String(PORT), weight, enabled: isEnabled, metadata };
}

function nacosBody(type: string, service: string, { host, weight, color, isEnabled }: Wanted) {
  const state = { weight, enabled: isEnabled, healthy: true, ephemeral: true, metadata: { color } };
  const instance = { ip: host, port: PORT, ...state };
  return { namespace: "public", groupName: "DEFAULT_GROUP", serviceName: service, type, instance };
}
