// Slow consumers: 1,000 subscribers of a service of 200 instances that changes again and again; then the same with one
// more that reads 1 KB a second and one that has stopped, which neither reads nor sends. Measures the effect on the
// others and on the server, and the fate of the two.

import { type Figure, latencies, mebibytes, percentile, remark } from "../figures.ts";
import type { Instance, Service } from "../instances.ts";
import { peakRssBytesOf, rssBytesOf } from "../processes/usage.ts";
import type { Arrivals } from "../protocols/arrivals.ts";
import { SlowConsumer, type SlowConsumerOptions } from "../protocols/sofa/slowConsumer.ts";
import { Flapping } from "./flapping.ts";
import { Publishers } from "./publishers.ts";
import { subscribeMany } from "./subscribers.ts";
import type { Bench } from "./task.ts";

const INSTANCES = 200;
// A list is 33 kB: what the two sockets of a connection hold of it is full after some 150 changes.
const CHANGES = 300;
const WARM_UP_CHANGES = 30;
const SERVICE: Service = { workload: "sl", number: 0 };
const ADDED: Instance = { service: SERVICE, number: INSTANCES, revision: 0 };

export async function slow(bench: Bench, { subscribers }: { subscribers: number }): Promise<Figure[]> {
  const { protocol, address, pids } = bench;
  await protocol.warmUp(INSTANCES);
  const instances = INSTANCES + 1;
  const publishers = await Publishers.open({
    protocol,
    address,
    services: 1,
    instances,
    connections: 1,
    window: 1_000,
  });
  for (let number = 0; number < INSTANCES; number++) publishers.of(ADDED).register({ ...ADDED, number });
  await publishers.settled();
  const arrivals = protocol.arrivals(subscribers);
  await subscribeMany(bench, { service: SERVICE, encoding: "plain", arrivals, from: 0, to: subscribers });
  await arrivals.shows(INSTANCES);

  const flapping = new Flapping(publishers, SERVICE, INSTANCES);
  await flapping.changes(arrivals, WARM_UP_CHANGES);
  const without = await flapping.changes(arrivals, CHANGES);
  const rssWithout = rssBytesOf(pids);
  const slowReads = { bytes: 1_024, everyMs: 1_000 };
  const reading = await SlowConsumer.open(consumer(bench, slowReads, "0000slowread"));
  const stopped = await SlowConsumer.open(consumer(bench, undefined, "0000stopped0"));
  const withThem = await flapping.changes(arrivals, CHANGES);
  const rss = rssBytesOf(pids);
  const ratio = percentile(withThem, 0.99) / percentile(without, 0.99);
  return [
    ...latencies(without, "without: "),
    ...latencies(withThem, "with: "),
    { name: "p99 with, to p99 without", value: ratio * 100, unit: "%" },
    { name: "RSS without", value: mebibytes(rssWithout), unit: "MiB" },
    { name: "RSS with", value: mebibytes(rss), unit: "MiB" },
    { name: "peak RSS", value: mebibytes(peakRssBytesOf(pids)), unit: "MiB" },
    remark("the one that reads 1 KB/s", await endOf(reading, arrivals)),
    remark("the one that stopped", await endOf(stopped, arrivals)),
  ];
}

function consumer({ address }: Bench, reads: SlowConsumerOptions["reads"], name: string): SlowConsumerOptions {
  return { address, service: SERVICE, reads, registId: `b5e9c4a1-5b5b-4b5b-8b5b-${name}` };
}

/** The amount that it had read, and the rest that was there once it read everything. */
async function endOf(slowConsumer: SlowConsumer, others: Arrivals): Promise<string> {
  const readKb = Math.round(slowConsumer.bytes / 1_024);
  const { isClosed, lists, fingerprint } = await slowConsumer.catchUp();
  const connection = isClosed ? "closed by the server" : "still connected";
  const newest = fingerprint === others.fingerprints[0] ? "the newest" : "an old one";
  return `${connection}; it had read ${readKb} KiB; of ${CHANGES} lists ${lists} were sent, the last ${newest}`;
}
