// Many subscribers of one service, each on a connection of its own.

import type { Service } from "../instances.ts";
import type { Arrivals, Range } from "../protocols/arrivals.ts";
import type { PushEncoding } from "../protocols/protocol.ts";
import type { Bench } from "./task.ts";

export interface SubscribeMany extends Range {
  readonly service: Service;
  readonly encoding: PushEncoding;
  readonly arrivals: Arrivals;
}

// More connection requests at once than this wait in the kernel's queue of a server with a short one.
const AT_ONCE = 100;

export async function subscribeMany({ protocol, address }: Bench, many: SubscribeMany): Promise<void> {
  const { service, encoding, arrivals, from, to } = many;
  for (let at = from; at < to; at += AT_ONCE) {
    const numbers = Array.from({ length: Math.min(AT_ONCE, to - at) }, (_, offset) => at + offset);
    await Promise.all(
      numbers.map((number) => protocol.subscribe({ address, service, at: number, arrivals, encoding })),
    );
  }
}
