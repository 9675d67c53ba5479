import type { Fact, Role } from "../facts.ts";
import type { Plan } from "../plan.ts";
import type { Dice } from "../random.ts";
import type { Scheduler } from "../scheduler.ts";
import type { Ports } from "./ports.ts";
import type { SimProcess } from "./simProcess.ts";

/** What every part of a simulated world shares. */
export interface SimEnvironment {
  readonly plan: Plan;
  readonly scheduler: Scheduler;
  readonly dice: Dice;
  readonly record: (fact: Fact) => void;
}

/** What the host of a role finds around it. */
export interface MemberEnvironment extends SimEnvironment {
  readonly ports: Ports;
  /** The machines of the meta nodes. */
  readonly metas: readonly string[];
  /** The cluster does not want this process: it must end. */
  readonly refused: (process: SimProcess, role: Role, reason: string) => void;
}

/** Tells of a bug: an error that a role or a gateway never throws if it is right. */
export function bug(environment: SimEnvironment, where: string, error: unknown): void {
  const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
  environment.record({ kind: "bug", where, what });
}
