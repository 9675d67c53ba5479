// What signals mean to a server. Those that end it end it in order. The others would kill it by default, or open Node's
// inspector to whoever runs code on the machine; they are for programs that reload their settings or reopen their log,
// neither of which there is here, so they are ignored, and the log says so.

import { isatty } from "node:tty";
import type { Log } from "../base/ports.ts";

export interface SignalEnvironment {
  /** Called for each signal that is to end the process. */
  readonly stop: (signal: NodeJS.Signals) => void;
  /** Where a signal without a meaning is said; undefined while there is no log yet. */
  readonly log: () => Log | undefined;
}

/** Takes the process's signals. Returns its stop. */
export function watchSignals({ stop, log }: SignalEnvironment): () => void {
  const ignore = (signal: NodeJS.Signals) =>
    log()?.warn("a signal was ignored", { signal, expected: "SIGTERM to stop" });
  // A terminal that is closed sends SIGHUP, and nobody is left who could stop the server by its keyboard.
  const hangUp = hasTerminal() ? stop : ignore;
  const handlers = { SIGTERM: stop, SIGINT: stop, SIGHUP: hangUp, SIGUSR1: ignore, SIGUSR2: ignore } as const;
  for (const [signal, handler] of Object.entries(handlers)) process.on(signal, handler);
  return () => {
    for (const [signal, handler] of Object.entries(handlers)) process.off(signal, handler);
  };
}

function hasTerminal(): boolean {
  return [0, 1, 2].some((descriptor) => isatty(descriptor));
}
