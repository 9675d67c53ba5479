// An attack: a row of the table, with the code that sends it.

import type { Attacker } from "./attacker/attacker.ts";
import type { Scene } from "./scene.ts";
import type { Readers, ServerNeeds } from "./target.ts";

export interface Attack {
  readonly letter: string;
  /** Names it on the command line. */
  readonly name: string;
  readonly sends: string;
  /** The expected answer of the server, in words. */
  readonly expected: string;
  /** The answers, refusals and log lines in which that shows; each must be found. Nothing if it shows in no text. */
  readonly signs?: readonly RegExp[];
  /** How much of it: frames, connections or registrations, as `sends` says. */
  readonly full: number;
  readonly short: number;
  /** The time that the attack itself may take; beyond, it is stopped, which is not a failure. */
  readonly secondsMax?: number;
  /** The same for the short form. */
  readonly shortSecondsMax?: number;
  readonly server?: ServerNeeds;
  readonly readers?: Readers;
  /** Not where the attack rightly keeps new clients out. */
  readonly hasMayflies?: boolean;
  /** It takes little of the processor: others like it are played beside it. */
  readonly isLight?: boolean;
  /** In the attacker's process. */
  strike(attacker: Attacker): Promise<void>;
  /** In the suite's process, after the attacker has left; returns what is wrong. */
  look?(scene: Scene): Promise<readonly string[]>;
}
