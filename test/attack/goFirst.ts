// The priority on the machine's processors. Linux shares them among sessions before it looks at priorities, so a
// process that must come before others' work needs a session of its own.

import { writeFileSync } from "node:fs";
import { setPriority } from "node:os";

/** Makes it a session of its own, if it is to go before others; the process id stays. */
export function inOwnSession(command: readonly string[], niceness: number): readonly string[] {
  return niceness < 0 ? ["setsid", ...command] : command;
}

/** Gives a process its place: the lower the niceness the sooner it is run. Below 0 needs root. */
export function setNiceness(pid: number, niceness: number): void {
  setPriority(pid, niceness);
  if (niceness >= 0) return;
  try {
    writeFileSync(`/proc/${pid}/autogroup`, String(niceness));
  } catch {
    // A kernel that does not share by sessions has no such file, and needs none.
    setPriority(pid, niceness);
  }
}
