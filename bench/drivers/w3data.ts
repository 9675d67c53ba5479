// W3 of a data node alone: what its process takes for so many publications, and how long garbage collection stops it
// while 50,000 a second of them change. They come from one session node without clients, so that the data node has a
// core of its own, as it has where it is used.

import { setTimeout as sleep } from "node:timers/promises";
import { textOf } from "../../src/base/text.ts";
import type { PublishItem } from "../../src/cluster/messages/sessionData.ts";
import { clientId, type ServiceKey } from "../../src/model/ids.ts";
import { packBoxes } from "../../src/model/payload.ts";
import { makeServiceKey } from "../../src/model/serviceKey.ts";
import { type Figure, mebibytes } from "../figures.ts";
import { addressText, type Instance, instanceText, registIdText, serviceText } from "../instances.ts";
import { PublishingSession } from "../nodes/publishingSession.ts";
import { nowMs } from "../protocols/clock.ts";
import { GROUP, INSTANCE_ID, ZONE } from "../protocols/sofa/registerFrames.ts";
import { memoryFigures, memoryOf, pausesWhile } from "./memory.ts";
import type { Bench } from "./task.ts";

// After this the garbage of what was done is collected or never will be.
const IDLE_MS = 5_000;
// A program publishes a handful of services from one connection.
const PUBLICATIONS_A_CLIENT = 10;
const WRITES_A_SECOND = 50_000;
const WRITE_SECONDS = 20;
const TICK_MS = 5;

export interface W3Data {
  readonly instances: number;
  readonly services: number;
}

export async function w3Data({ address, processes }: Bench, { instances, services }: W3Data): Promise<Figure[]> {
  const session = await PublishingSession.join(address);
  const names = Array.from({ length: services }, (_, number) => serviceKeyOf({ workload: "w3", number }));
  const publicationOf = (number: number, revision: number): PublishItem => {
    const instance = { service: { workload: "w3", number: number % services }, number, revision };
    return put(session, names[number % services] as ServiceKey, instance);
  };
  const data = processes.filter(({ name }) => name === "data");
  await sleep(IDLE_MS);
  const before = await Promise.all(data.map(memoryOf));
  const startMs = nowMs();
  for (let number = 0; number < instances; number++) await session.publish(publicationOf(number, 0));
  await session.settled();
  const loadedPerSecond = (instances / (nowMs() - startMs)) * 1_000;
  await sleep(IDLE_MS);
  const after = await Promise.all(data.map(memoryOf));

  let written = 0;
  const write = async () => {
    const beginMs = nowMs();
    for (let seconds = 0; seconds < WRITE_SECONDS; seconds = (nowMs() - beginMs) / 1_000) {
      for (const due = Math.floor(seconds * WRITES_A_SECOND); written < due; written++) {
        await session.publish(publicationOf(written % instances, 1 + Math.floor(written / instances)));
      }
      await sleep(TICK_MS);
    }
    await session.settled();
    return (written / (nowMs() - beginMs)) * 1_000;
  };
  const { result: writesPerSecond, figures: pauses } = await pausesWhile(data, write);
  const memoryWritten = await Promise.all(data.map(memoryOf));
  session.close();
  return [
    ...data.flatMap(({ name }, at) => memoryFigures(name, [before[at], after[at]], instances)),
    { name: "taken by the data node", value: loadedPerSecond, unit: "/s" },
    { name: "writes", value: writesPerSecond, unit: "/s", isAside: true },
    ...pauses,
    ...data.map(({ name }, at) => ({
      name: `${name}: RSS after the writes`,
      value: mebibytes(memoryWritten[at]?.rss ?? 0),
      unit: "MiB" as const,
      isAside: true,
    })),
  ];
}

function serviceKeyOf(service: Instance["service"]): ServiceKey {
  return makeServiceKey({ name: serviceText(service), group: GROUP, namespace: INSTANCE_ID });
}

/** A session's item for the registration of a light client. */
function put(session: PublishingSession, serviceKey: ServiceKey, instance: Instance): PublishItem {
  const client = Math.floor(instance.number / PUBLICATIONS_A_CLIENT);
  return {
    kind: "put",
    publication: {
      serviceKey,
      registId: registIdText(instance),
      version: BigInt(instance.revision + 1),
      registeredMs: Math.floor(nowMs()),
      owner: { session: session.id, client: clientId(`${addressText(client)}_10.0.0.1:9600#${client}`) },
      zone: ZONE,
      appName: "bench",
      attributes: NO_ATTRIBUTES,
      payload: packBoxes([textOf(instanceText(instance))]),
    },
  };
}

const NO_ATTRIBUTES: ReadonlyMap<string, string> = new Map();
