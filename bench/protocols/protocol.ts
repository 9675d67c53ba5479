// The interface of a protocol for drivers. The workloads are written against this, so that every registry is measured
// by the same steps, the same clock and the same bookkeeping, each through its own wire protocol and its own best push.

import type { Instance, Service } from "../instances.ts";
import type { Arrivals } from "./arrivals.ts";
import type { Address } from "./sockets.ts";

/** One connection that registers instances. */
export interface Publisher {
  /** Sends at once, or when fewer than `window` requests are unanswered. A higher revision replaces a lower one. */
  register(instance: Instance): void;
  deregister(instance: Instance): void;
  /** Resolves when all that was asked is acknowledged. Rejects if the connection is lost before. */
  settled(): Promise<void>;
  /** How many requests were refused and sent again. */
  readonly retries: number;
  close(): void;
}

export interface PublisherOptions {
  readonly address: Address;
  /** How many requests may be unanswered at once. */
  readonly window: number;
}

/** One connection that subscribes to a service and tells `arrivals` about each list or change that it is pushed. */
export interface SubscriberOptions {
  readonly address: Address;
  readonly service: Service;
  /** The subscriber's number in `arrivals`. */
  readonly at: number;
  readonly arrivals: Arrivals;
  readonly encoding: PushEncoding;
}

/** The encoding that a subscriber requests, where the protocol leaves a choice. */
export type PushEncoding = "plain" | "zstd" | "gzip";

export interface Protocol {
  readonly name: string;
  /** How W2 asks whether every service shows all its instances. */
  readonly query: string;
  /** The content of a push at a change. */
  readonly push: string;
  /** How many instances of one service one publisher's connection can register. */
  readonly instancesPerConnection: number;
  /** Lets what is measured run on made-up bytes, without the server, so that V8 has compiled it before. */
  warmUp(instances: number): void | Promise<void>;
  /** Makes everything that must exist before instances of these services can be registered. */
  prepare(address: Address, services: readonly Service[]): Promise<void>;
  /** The bookkeeping for so many subscribers. Number 0 is the one whose lists are looked into. */
  arrivals(subscribers: number): Arrivals;
  publisher(options: PublisherOptions): Promise<Publisher>;
  /** Resolves when the subscription is on its way; returns its end. */
  subscribe(options: SubscriberOptions): Promise<() => void>;
  /** Resolves when a query of each service, by another connection, has shown `expected` instances. */
  queryAll(address: Address, services: readonly Service[], expected: number): Promise<void>;
}
