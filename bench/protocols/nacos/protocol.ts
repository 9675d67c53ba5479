// Nacos: ephemeral instances and subscriptions by gRPC. The whole list is pushed as JSON. A connection can register one
// instance of a service, so a publisher needs as many connections as a service has instances.

import { type Instance, instanceText, ipText, type Service, serviceText } from "../../instances.ts";
import { Arrivals } from "../arrivals.ts";
import type { Glimpse } from "../http2/messages.ts";
import { Pipeline } from "../pipeline.ts";
import type { Protocol, Publisher, PublisherOptions, SubscriberOptions } from "../protocol.ts";
import type { Address } from "../sockets.ts";
import { jsonOf, NacosConnection } from "./connection.ts";

const PORT = 12_200;
const WARM_UP_PUSHES = 1_000;
// Servers take a few hundred calls of a connection at a time, and close one with many more. There are ten times as many
// connections as by other protocols, so each has a tenth of their requests under way.
const CALLS_AT_ONCE = 50;
// All by one connection.
const QUERIES_AT_ONCE = 200;
// Whatever identifies a push stands before it; all instances are written in one length, so the rest tells how many
// there are. Of each length that the first subscriber sees, one list is looked into.
const LIST_MARK = '"serviceInfo":';
const counts = new Map<number, number>();

interface ServiceInfo {
  readonly hosts: readonly unknown[];
}

export const nacosProtocol: Protocol = {
  name: "nacos",
  query: "a service query of each, 200 at a time on another connection",
  push: "whole list",
  instancesPerConnection: 1,
  warmUp,
  prepare: async () => undefined,
  arrivals: (subscribers) => new Arrivals(subscribers, (fingerprint) => counts.get(fingerprint)),
  publisher,
  subscribe,
  queryAll,
};

async function publisher({ address, window }: PublisherOptions): Promise<Publisher> {
  let lost = (): void => undefined;
  const connection = await NacosConnection.open({ address, onClose: () => lost() });
  const pipeline = new Pipeline<{ type: string; instance: Instance }>(
    Math.min(window, CALLS_AT_ONCE),
    connection,
    (request, answered) => {
      connection.ask("InstanceRequest", instanceRequest(request), (answer) => {
        answered(answer?.first.includes('"resultCode":200') ?? false);
      });
    },
  );
  lost = () => pipeline.fail("Nacos closed a publisher's connection");
  return {
    register: (instance) => pipeline.ask({ type: "registerInstance", instance }),
    deregister: (instance) => pipeline.ask({ type: "deregisterInstance", instance }),
    settled: () => pipeline.settled(),
    get retries() {
      return pipeline.retries;
    },
    close: () => connection.close(),
  };
}

async function subscribe({ address, service, at, arrivals }: SubscriberOptions): Promise<() => void> {
  const saw = (glimpse: Glimpse) => {
    const fingerprint = lengthOfList(glimpse);
    if (glimpse.whole !== undefined && !counts.has(fingerprint)) {
      const { hosts } = jsonOf(glimpse.whole)["serviceInfo"] as ServiceInfo;
      counts.set(fingerprint, hosts.length);
    }
    arrivals.record(at, fingerprint, glimpse.bytes);
  };
  const keepsWhole = at === 0;
  const connection = await NacosConnection.open({ address, onPush: saw, keepsWhole });
  const body = { ...nameOf(service), subscribe: true, clusters: "" };
  await new Promise<void>((resolve, reject) => {
    const then = (answer: Glimpse | undefined) => {
      if (answer === undefined) return reject(new Error("Nacos refuses a subscription"));
      saw(answer);
      resolve();
    };
    connection.ask("SubscribeServiceRequest", body, then, keepsWhole);
  });
  return () => connection.close();
}

/** The bytes after the list differ between the answer to a subscription and a push: they never look alike. */
function lengthOfList({ first, bytes }: Glimpse): number {
  return bytes - first.indexOf(LIST_MARK);
}

async function queryAll(address: Address, services: readonly Service[], expected: number): Promise<void> {
  const connection = await NacosConnection.open({ address });
  let waiting = [...services];
  while (waiting.length > 0) {
    const missing: Service[] = [];
    for (let at = 0; at < waiting.length; at += QUERIES_AT_ONCE) {
      const asked = waiting.slice(at, at + QUERIES_AT_ONCE);
      connection.cork();
      const answers = asked.map((service) => {
        const body = { ...nameOf(service), cluster: "", healthyOnly: false, udpPort: 0 };
        return connection.request("ServiceQueryRequest", body);
      });
      connection.uncork();
      const hosts = (await Promise.all(answers)).map((answer) => (answer["serviceInfo"] as ServiceInfo).hosts.length);
      missing.push(...asked.filter((_, number) => hosts[number] !== expected));
    }
    waiting = missing;
  }
  connection.close();
}

function nameOf(service: Service) {
  return { namespace: "public", serviceName: serviceText(service), groupName: "DEFAULT_GROUP", module: "naming" };
}

function instanceRequest({ type, instance }: { type: string; instance: Instance }): object {
  const settings = instanceText(instance).split("?")[1];
  const what = { ip: ipText(instance.number), port: PORT, weight: 1, healthy: true, enabled: true, ephemeral: true };
  return { ...nameOf(instance.service), type, instance: { ...what, metadata: { settings } } };
}

function warmUp(): void {
  const thrownAway = new Arrivals(1, () => undefined);
  const first = Buffer.from(`NotifySubscriberRequest {"requestId":"1",${LIST_MARK}{}}`.padEnd(1_024));
  for (let push = 0; push < WARM_UP_PUSHES; push++) {
    thrownAway.record(0, lengthOfList({ first, bytes: 40_000 + push, whole: undefined }), 40_000);
    JSON.stringify(
      instanceRequest({
        type: "registerInstance",
        instance: { service: { workload: "wu", number: 0 }, number: push, revision: 0 },
      }),
    );
  }
}
