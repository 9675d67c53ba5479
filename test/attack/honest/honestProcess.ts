// The process of the well-behaved clients: told to begin, to measure, and to end, it reports how they fared.

import { monotonicMs } from "../../faults/history/event.ts";
import type { Readers, Target } from "../target.ts";
import { HonestClients, type HonestReport } from "./honestClients.ts";

export type HonestOrder =
  | {
      readonly kind: "begin";
      readonly target: Target;
      readonly readers: Readers | undefined;
      readonly hasMayflies: boolean;
    }
  /** The attack begins: what is measured counts from here. */
  | { readonly kind: "measure" }
  /** The attack is over: waits until all lists are right, and reports. */
  | { readonly kind: "end" };

export type HonestAnswer =
  | { readonly kind: "begun"; readonly isWhole: boolean }
  | { readonly kind: "ended"; readonly report: HonestReport };

// A server that has just started, with a dozen clients.
const BEGIN_MS_MAX = 15_000;
// After an attack everything is as it should be within seconds.
const SETTLE_MS_MAX = 12_000;

let clients: HonestClients | undefined;

process.on("message", (order: HonestOrder) => void obey(order));
process.once("disconnect", () => process.exit(0));

async function obey(order: HonestOrder): Promise<void> {
  switch (order.kind) {
    case "begin": {
      clients = new HonestClients(order.target, order.readers);
      const isWhole = await clients.settled(BEGIN_MS_MAX);
      clients.startChanging(order.hasMayflies);
      return answer({ kind: "begun", isWhole });
    }
    case "measure":
      return clients?.measure(monotonicMs());
    case "end":
      if (clients !== undefined) answer({ kind: "ended", report: await clients.end(SETTLE_MS_MAX) });
  }
}

function answer(what: HonestAnswer): void {
  process.send?.(what);
}
