import { Gate } from "../network/gate.ts";
import type { NetworkProcess } from "../network/nodeWire.ts";
import type { Turns } from "./turns.ts";

/** The gate of a process, with a turn of its own for each arrival. */
class TurnGate extends Gate {
  readonly #process: NetworkProcess;
  readonly #turns: Turns;

  constructor(process: NetworkProcess, turns: Turns) {
    super();
    this.#process = process;
    this.#turns = turns;
  }

  override message(arrive: () => void): void {
    this.#process.gate.message(() => this.#turns.add(this.#process, arrive));
  }

  override timer(fire: () => void): void {
    this.#process.gate.timer(() => this.#turns.add(this.#process, fire));
  }
}

/** The process, for code that awaits promises: whatever comes to it has a turn of its own. */
export function inTurns(process: NetworkProcess, turns: Turns): NetworkProcess {
  const { machine } = process;
  const { clock, timers } = process.time;
  return {
    machine,
    gate: new TurnGate(process, turns),
    time: {
      clock,
      timers: { after: (delayMs, run) => timers.after(delayMs, (nowMs) => turns.add(process, () => run(nowMs))) },
    },
    get isRunning() {
      return process.isRunning;
    },
  };
}
