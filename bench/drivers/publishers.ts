// The publishing connections of a driver, and which instance goes by which.

import type { Instance } from "../instances.ts";
import type { Protocol, Publisher } from "../protocols/protocol.ts";
import { type Address, retryUntilUp } from "../protocols/sockets.ts";

export interface PublishersOptions {
  readonly protocol: Protocol;
  readonly address: Address;
  readonly services: number;
  readonly instances: number;
  /** At least so many; more, if the protocol lets one connection register fewer instances of a service. */
  readonly connections: number;
  readonly window: number;
}

export class Publishers {
  readonly all: readonly Publisher[];
  readonly #options: PublishersOptions;

  private constructor(all: readonly Publisher[], options: PublishersOptions) {
    this.all = all;
    this.#options = options;
  }

  static async open(options: PublishersOptions): Promise<Publishers> {
    const { protocol, address, services, instances, window } = options;
    const needed = Math.ceil(instances / services / protocol.instancesPerConnection);
    const all: Publisher[] = [];
    for (let at = 0; at < Math.max(options.connections, needed); at++) {
      all.push(await retryUntilUp(() => protocol.publisher({ address, window })));
    }
    return new Publishers(all, options);
  }

  /** The connection that an instance goes by: neighbours share one, unless the protocol forbids it. */
  of({ number }: Instance): Publisher {
    const { services, instances, protocol } = this.#options;
    const isShared = protocol.instancesPerConnection === Number.POSITIVE_INFINITY;
    const at = isShared
      ? Math.floor((number * this.all.length) / instances)
      : Math.floor(number / services / protocol.instancesPerConnection);
    return this.all[Math.min(at, this.all.length - 1)] as Publisher;
  }

  async settled(): Promise<void> {
    await Promise.all(this.all.map((publisher) => publisher.settled()));
  }

  get retries(): number {
    return this.all.reduce((sum, { retries }) => sum + retries, 0);
  }

  close(): void {
    for (const publisher of this.all) publisher.close();
  }
}
