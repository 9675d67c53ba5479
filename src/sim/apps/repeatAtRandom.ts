import type { SimEnvironment } from "../cluster/environment.ts";

/** Runs at random times, about `meanMs` apart, until it is over. */
export function repeatAtRandom(
  environment: Pick<SimEnvironment, "scheduler" | "dice">,
  meanMs: number,
  run: () => void,
  isOver: () => boolean,
): void {
  environment.scheduler.after(1 + environment.dice.below(2 * meanMs), () => {
    if (isOver()) return;
    run();
    repeatAtRandom(environment, meanMs, run, isOver);
  });
}
