// The attacker's process. It plays one attack, tells all the time what it was answered, and ends.

import { ATTACKS } from "../all.ts";
import type { Target } from "../target.ts";
import { Attacker } from "./attacker.ts";
import { Tally, type TallyReport } from "./tally.ts";

export interface AttackOrder {
  readonly attack: string;
  readonly target: Target;
  readonly size: number;
  readonly isFull: boolean;
  readonly durationMs: number;
}

export interface AttackerReport {
  readonly tally: TallyReport;
  /** The attack is over; the process ends when it is told to, and with it all its connections. */
  readonly isDone: boolean;
}

const REPORT_MS = 200;

process.once("message", (order: AttackOrder) => void play(order));
process.once("disconnect", () => process.exit(0));

async function play({ attack: name, target, ...how }: AttackOrder): Promise<void> {
  const attack = ATTACKS.find((each) => each.name === name);
  const tally = new Tally();
  const report = (isDone: boolean) => process.send?.({ tally: tally.report(), isDone } satisfies AttackerReport);
  setInterval(() => report(false), REPORT_MS);
  try {
    await attack?.strike(new Attacker(target, how, tally));
  } catch (error) {
    tally.note(`the attack ended with ${error instanceof Error ? error.message : String(error)}`);
  }
  report(true);
}
