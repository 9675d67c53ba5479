import type { Log } from "../../base/ports.ts";
import type { NodeNetwork } from "../../cluster/links/nodeNetwork.ts";
import type { Fact, Role } from "../facts.ts";
import type { Plan } from "../plan.ts";
import type { Dice } from "../random.ts";
import type { Scheduler } from "../scheduler.ts";
import type { SimProcess } from "./simProcess.ts";
import type { Turns } from "./turns.ts";

/** Shared by every part of a simulated world. */
export interface SimEnvironment {
  readonly plan: Plan;
  readonly scheduler: Scheduler;
  readonly dice: Dice;
  readonly record: (fact: Fact) => void;
  /** The turns of code that awaits promises; without them the nodes serve no tree. */
  readonly turns?: Turns;
}

/** The surroundings of a role's host. */
export interface MemberEnvironment extends SimEnvironment {
  /** The links of the host's process. */
  readonly links: NodeNetwork;
  /** The cluster refuses this process: it must end. */
  readonly refused: (process: SimProcess, role: Role, reason: string) => void;
}

/** Reports a bug: an error that a correct role or gateway never throws. */
export function bug(environment: SimEnvironment, where: string, error: unknown): void {
  const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
  environment.record({ kind: "bug", where, what });
}

/** A log for code that reports a bug of ours as error, and a fault of the world as warning. */
export function bugLog(environment: SimEnvironment, where: string): Log {
  const ignore = () => undefined;
  return {
    debug: ignore,
    info: ignore,
    warn: ignore,
    error: (event, fields) => bug(environment, where, `${event}: ${fields?.["reason"] ?? ""}`),
  };
}
