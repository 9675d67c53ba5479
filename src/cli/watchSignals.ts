// The meaning of signals for a server. The ones that end it end it in order. The others would kill it by default, or
// open Node's inspector to any code on the machine. SIGHUP has certificates read again, where there are some. The
// others are meant for programs that reopen their log; Roster has none, so it ignores them, and logs that.

import { isatty } from "node:tty";
import type { Log } from "../base/ports.ts";

export interface SignalEnvironment {
  /** Called for each signal that ends the process. */
  readonly stop: (signal: NodeJS.Signals) => void;
  /** Called for SIGHUP. Returns whether there was anything to read again. */
  readonly reload: () => boolean;
  /** The log for signals without a meaning; undefined until there is a log. */
  readonly log: () => Log | undefined;
}

/** Handles the process's signals. Returns the stop. */
export function watchSignals({ stop, reload, log }: SignalEnvironment): () => void {
  const ignore = (signal: NodeJS.Signals) =>
    log()?.warn("a signal was ignored", { signal, expected: "SIGTERM to stop the process" });
  // A closed terminal sends SIGHUP, and no keyboard is left that could stop the server.
  const hangUp = hasTerminal() ? stop : (signal: NodeJS.Signals) => void (reload() || ignore(signal));
  const handlers = { SIGTERM: stop, SIGINT: stop, SIGHUP: hangUp, SIGUSR1: ignore, SIGUSR2: ignore } as const;
  for (const [signal, handler] of Object.entries(handlers)) process.on(signal, handler);
  return () => {
    for (const [signal, handler] of Object.entries(handlers)) process.off(signal, handler);
  };
}

function hasTerminal(): boolean {
  return [0, 1, 2].some((descriptor) => isatty(descriptor));
}
