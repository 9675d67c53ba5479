// One attack as it is played: the server, the honest clients and the attacker, each a process; what is measured; and
// what is held against the limits.

import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Attack } from "./attack.ts";
import type { AttackerReport, AttackOrder } from "./attacker/attackerProcess.ts";
import type { TallyReport } from "./attacker/tally.ts";
import type { HonestReport } from "./honest/honestClients.ts";
import type { HonestAnswer, HonestOrder } from "./honest/honestProcess.ts";
import { Peer } from "./peer.ts";
import { type AttackResult, delaysOf, failuresOf } from "./result.ts";
import { type ServerOptions, ServerProcess } from "./server/serverProcess.ts";
import { Watch } from "./server/watch.ts";

export interface TrialOptions {
  readonly isFull: boolean;
  readonly dir: string;
  readonly memoryBytesMax: number;
  /** The attack is ended when the server has taken so much, to spare the machine. */
  readonly stopBytes: number;
  readonly niceness: Niceness;
}

/** The priority on the machine's processors, as Unix counts it: the lower the sooner. */
export interface Niceness {
  readonly server: number;
  readonly honest: number;
  readonly attacker: number;
}

const ATTACKER_PROGRAM = join(import.meta.dirname, "attacker/attackerProcess.ts");
const HONEST_PROGRAM = join(import.meta.dirname, "honest/honestProcess.ts");
const POLL_MS = 20;
const MEASURED_MS_MIN = 2_000;
// Beyond its own time an attacker gets this for what it has under way.
const OVERTIME_MS = 5_000;
const BEGIN_MS_MAX = 60_000;
const END_MS_MAX = 60_000;
// The time for which the target is left alone: the attacker's registrations go after the grace, and garbage is
// collected.
const REST_MS = { full: 6_000, short: 1_000 };
const SECONDS = { full: 15, short: 4 };

/** Plays attacks side by side, each with a server and clients of its own; one that breaks off gives its error. */
export async function play(attacks: readonly Attack[], options: TrialOptions): Promise<(AttackResult | Error)[]> {
  const trials = attacks.map((attack) => new Trial(attack, { ...options, dir: join(options.dir, attack.name) }));
  try {
    // Starting takes much of the processor: nothing is measured before all have started.
    const started = await Promise.allSettled(trials.map((trial) => trial.start()));
    const plays = trials.map(async (trial, at) => {
      const start = started[at];
      if (start?.status === "rejected") throw start.reason;
      return trial.play();
    });
    const played = await Promise.allSettled(plays);
    return played.map((end) => (end.status === "fulfilled" ? end.value : asError(end.reason)));
  } finally {
    await Promise.all(trials.map((trial) => trial.close()));
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}

class Trial {
  readonly #attack: Attack;
  readonly #options: TrialOptions;
  readonly #startMs = performance.now();
  readonly #honest: Peer<HonestOrder, HonestAnswer>;
  #attacker: Peer<AttackOrder, AttackerReport>;
  #server: ServerProcess | undefined;

  constructor(attack: Attack, options: TrialOptions) {
    this.#attack = attack;
    this.#options = options;
    this.#honest = new Peer(HONEST_PROGRAM, options.niceness.honest);
    this.#attacker = this.#newAttacker();
  }

  async start(): Promise<void> {
    mkdirSync(this.#options.dir, { recursive: true });
    this.#server = await ServerProcess.start(this.#serverOptions());
    const { readers, hasMayflies = true } = this.#attack;
    this.#honest.send({ kind: "begin", target: this.#server.target, readers, hasMayflies });
    const begun = await this.#honest.next(({ kind }) => kind === "begun", BEGIN_MS_MAX);
    if (begun?.kind !== "begun" || !begun.isWhole) throw new Error("the honest clients do not see each other");
  }

  async play(): Promise<AttackResult> {
    const server = this.#server;
    if (server === undefined) throw new Error("the trial has not been started");
    const { isFull, dir, stopBytes, memoryBytesMax } = this.#options;
    this.#honest.send({ kind: "measure" });
    const watch = new Watch(server, this.#honest.pid, stopBytes);
    const beforeBytes = server.rssBytes;
    const tally = await this.#strike(server, watch, isFull);
    const restBytes = [await this.#rest(server)];
    // A second round must not leave behind again as much as the first one did.
    if (isFull && server.isRunning && !watch.isStopped) {
      this.#attacker = this.#newAttacker();
      await this.#strike(server, watch, false);
      restBytes.push(await this.#rest(server));
    }
    this.#honest.send({ kind: "end" });
    const ended = await this.#honest.next(({ kind }) => kind === "ended", END_MS_MAX);
    const honest = ended?.kind === "ended" ? ended.report : NO_REPORT;
    const figures = { ...(await watch.end()), memory: { beforeBytes, restBytes }, tally, honest };
    const log = server.log.toString("latin1");
    const failures = failuresOf(this.#attack, { ...figures, ownEnd: server.ownEnd, memoryBytesMax, log });
    if (server.isRunning) failures.push(...(await this.#look(server, tally, honest)));
    if (failures.length === 0) rmSync(dir, { recursive: true, force: true });
    const { letter, name, sends } = this.#attack;
    const seconds = (performance.now() - this.#startMs) / 1_000;
    const isOnlySlow = failures.length > 0 && failures.length === delaysOf(figures).length;
    return { letter, name, sends, ...figures, failures, isOnlySlow, seconds, dir };
  }

  async close(): Promise<void> {
    await Promise.all([this.#honest.kill(), this.#attacker.kill(), this.#server?.kill()]);
  }

  /** Its process is there before it is told what to do. */
  #newAttacker(): Peer<AttackOrder, AttackerReport> {
    return new Peer(ATTACKER_PROGRAM, this.#options.niceness.attacker);
  }

  #serverOptions(): ServerOptions {
    const { dir, memoryBytesMax, niceness } = this.#options;
    return { ...this.#attack.server, dir, memoryBytesMax, niceness: niceness.server };
  }

  /** One round, by a process of its own; returns what came of it. */
  async #strike(server: ServerProcess, watch: Watch, isFull: boolean): Promise<TallyReport> {
    const { name, full, short, secondsMax = SECONDS.full, shortSecondsMax = SECONDS.short } = this.#attack;
    const durationMs = 1_000 * (isFull ? secondsMax : shortSecondsMax);
    const attacker = this.#attacker;
    const startMs = performance.now();
    attacker.send({ attack: name, target: server.target, size: isFull ? full : short, isFull, durationMs });
    const endMs = startMs + durationMs + OVERTIME_MS;
    while (attacker.last?.isDone !== true && performance.now() < endMs && !watch.isStopped && server.isRunning) {
      await sleep(POLL_MS);
    }
    // An attack that is soon over leaves too few changes to measure.
    while (performance.now() < startMs + MEASURED_MS_MIN && server.isRunning) await sleep(POLL_MS);
    const tally = attacker.last?.tally ?? NO_TALLY;
    await attacker.kill();
    return tally;
  }

  /** The memory that the server holds some seconds after the attacker has left. */
  async #rest(server: ServerProcess): Promise<number> {
    await sleep(this.#options.isFull ? REST_MS.full : REST_MS.short);
    return server.rssBytes;
  }

  async #look(server: ServerProcess, tally: TallyReport, honest: HonestReport): Promise<readonly string[]> {
    const { dir } = this.#options;
    const restart = async (between?: (dataDir: string) => void) => {
      await this.#server?.stop();
      between?.(join(dir, "data"));
      this.#server = await ServerProcess.start(this.#serverOptions());
      return this.#server;
    };
    return (await this.#attack.look?.({ server, tally, honest, dir, restart })) ?? [];
  }
}

const NO_TALLY: TallyReport = {
  bytesSent: 0,
  connections: 0,
  closed: 0,
  pushes: 0,
  accepted: 0,
  refused: {},
  notes: ["the attacker did not report"],
  failures: [],
};

const NO_REPORT: HonestReport = {
  samples: 0,
  p50Ms: Number.POSITIVE_INFINITY,
  p99Ms: Number.POSITIVE_INFINITY,
  maxMs: Number.POSITIVE_INFINITY,
  closed: 0,
  unlistedMs: [],
  findings: ["the honest clients did not report"],
};
