// The runs for each name on the command line, and Roster's expected results.

import type { Job } from "./drivers/task.ts";
import type { StartOptions } from "./targets/target.ts";

/** The most, or for a rate the least, that Roster should show: in one process, and in three if that differs. */
export type Expected = readonly [one: number, three?: number];

/** A run against a server of its own. */
export interface Case {
  readonly title: string;
  readonly job: Job;
  readonly start?: StartOptions;
  /** By figure. */
  readonly expected?: Readonly<Record<string, Expected>>;
  /** Run for Roster alone; with "data", for a data node without sessions; with "sofa", where that is spoken. */
  readonly only?: "roster" | "data" | "sofa";
}

const THREE_HUNDRED = "W4: 1,000 instances, 300 subscribers";
const TEN_THOUSAND = "W4: 1,000 instances, 10,000 subscribers";
const LAST = "last subscriber, median of 5";

export const WORKLOADS = {
  w1: [
    {
      title: "W1: 100 instances, 100 subscribers",
      job: { kind: "w1", subscribers: 100, encoding: "zstd" },
      expected: { p50: [2, 4], p99: [8, 13], "server CPU for 30 changes": [0.3] },
    },
    {
      title: "W1: whole lists in Hessian, as the Java client has them",
      job: { kind: "w1", subscribers: 100, encoding: "plain" },
      only: "roster",
    },
  ],
  w2: [
    {
      title: "W2: 20,000 instances of 1,000 services, 10 connections",
      job: { kind: "w2", instances: 20_000, services: 1_000, connections: 10 },
      expected: { "registrations acknowledged": [40_000], "all visible after the last": [1_000] },
    },
    {
      title: "W2: by 10 of SOFARegistry's own Java clients, one registration at a time each",
      job: { kind: "w2-java", instances: 20_000, services: 1_000, clients: 10 },
      only: "sofa",
    },
  ],
  w3: [
    {
      title: "W3: 100,000 instances of 1,000 services",
      job: { kind: "w3", instances: 100_000, services: 1_000 },
      start: { hasGcHook: true },
    },
    {
      title: "W3: a data node with 1,000,000 publications, then 50,000 writes/s",
      job: { kind: "w3-data", instances: 1_000_000, services: 1_000 },
      start: { hasGcHook: true },
      expected: { "data: RSS an instance": [200], "data: GC pause p99": [15], "data: GC pause max": [30] },
      only: "data",
    },
    {
      title: "W3: a data node with 3,000,000 publications, then 50,000 writes/s",
      job: { kind: "w3-data", instances: 3_000_000, services: 3_000 },
      start: { hasGcHook: true },
      expected: { "data: RSS": [1_049], "data: GC pause p99": [15], "data: GC pause max": [30] },
      only: "data",
    },
  ],
  w4: [
    {
      title: THREE_HUNDRED,
      job: { kind: "w4", subscribers: 300, encoding: "plain" },
      expected: { [LAST]: [30] },
    },
    {
      title: `${THREE_HUNDRED}, protobuf and zstd`,
      job: { kind: "w4", subscribers: 300, encoding: "zstd" },
      expected: { [LAST]: [12] },
      only: "roster",
    },
    {
      title: `${THREE_HUNDRED}, protobuf and gzip`,
      job: { kind: "w4", subscribers: 300, encoding: "gzip" },
      expected: { [LAST]: [12] },
      only: "roster",
    },
    {
      title: TEN_THOUSAND,
      job: { kind: "w4", subscribers: 10_000, encoding: "plain" },
      expected: { [LAST]: [1_000] },
      only: "roster",
    },
    {
      title: `${TEN_THOUSAND}, protobuf and zstd`,
      job: { kind: "w4", subscribers: 10_000, encoding: "zstd" },
      expected: { [LAST]: [300] },
      only: "roster",
    },
  ],
  w5: [
    {
      title: "W5: start",
      job: { kind: "w5" },
      expected: { "first accepted registration": [1_000], "idle RSS": [105] },
    },
  ],
  example: [
    {
      title: "Example: 100 services of 800 instances, 2,000 subscribers each, everything changes",
      job: { kind: "example", subscribers: 2_000, services: 100, instances: 800 },
      expected: { "compressed size": [5] },
      only: "roster",
    },
  ],
  fair: (["plain", "zstd", "gzip"] as const).map((encoding) => ({
    title: `Fairness: beside 10,000 instances that flap 50 times a second, ${encoding}`,
    job: { kind: "fair", subscribers: 1, encoding },
    expected: { "p99 beside, more than alone": [20] },
    only: "roster",
  })),
  steady: [
    {
      title: "Steady change: 50 changes 100 ms apart, 100 instances, 100 subscribers",
      job: { kind: "steady", subscribers: 100 },
      expected: { "pushes a subscriber": [15], "last change, last subscriber": [1_100] },
    },
  ],
  slow: [
    {
      title: "Slow consumers: 200 instances, 1,000 subscribers",
      job: { kind: "slow", subscribers: 1_000 },
      expected: { "p99 with, to p99 without": [120] },
      only: "roster",
    },
  ],
} as const satisfies Record<string, readonly Case[]>;

export type WorkloadName = keyof typeof WORKLOADS;

export const WORKLOAD_NAMES = Object.keys(WORKLOADS) as readonly WorkloadName[];
