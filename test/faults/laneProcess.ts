// The process of a lane: plays the scenarios that it is told, and reports each.

import { Lane, type LaneOptions } from "./lane.ts";
import type { ScenarioResult } from "./result.ts";

export type LaneOrder = { readonly scenario: string } | "end";

export type LaneAnswer = { readonly result: ScenarioResult } | "ended";

const lane = new Lane(JSON.parse(process.argv[2] ?? "{}") as LaneOptions);
let last = Promise.resolve();

process.on("message", (order: LaneOrder) => {
  last = last.then(async () => {
    const answer: LaneAnswer = order === "end" ? await end() : { result: await lane.run(order.scenario) };
    process.send?.(answer);
  });
});
process.once("disconnect", () => process.exit(0));

async function end(): Promise<"ended"> {
  await lane.close();
  return "ended";
}
