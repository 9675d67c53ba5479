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
import { type AttackResult, failuresOf } from "./result.ts";
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

/** Who goes first on the machine's processors, as Unix counts it: the lower the sooner. */
export interface Niceness {
  readonly server: number;
  readonly honest: number;
  readonly attacker: number;
}

const ATTACKER_PROGRAM = join(import.meta.dirname, "attacker/attackerProcess.ts");
const HONEST_PROGRAM = join(import.meta.dirname, "honest/honestProcess.ts");
const POLL_MS = 50;
// Beyond its own time an attacker gets this for what it has under way.
const OVERTIME_MS = 5_000;
const BEGIN_MS_MAX = 20_000;
const END_MS_MAX = 60_000;
// What was attacked is left alone so long: registrations of the attacker go after the grace, and garbage is collected.
const REST_MS = { full: 6_000, short: 1_500 };
const SECONDS = { full: 15, short: 4 };

export async function play(attack: Attack, options: TrialOptions): Promise<AttackResult> {
  const trial = new Trial(attack, { ...options, dir: join(options.dir, attack.name) });
  return trial.run();
}

class Trial {
  readonly #attack: Attack;
  readonly #options: TrialOptions;
  #server: ServerProcess | undefined;
  #honest: Peer<HonestOrder, HonestAnswer> | undefined;

  constructor(attack: Attack, options: TrialOptions) {
    this.#attack = attack;
    this.#options = options;
  }

  async run(): Promise<AttackResult> {
    const startMs = performance.now();
    const { dir } = this.#options;
    mkdirSync(dir, { recursive: true });
    try {
      const result = await this.#play();
      if (result.failures.length === 0) rmSync(dir, { recursive: true, force: true });
      return { ...result, seconds: (performance.now() - startMs) / 1_000 };
    } finally {
      await this.#honest?.kill();
      await this.#server?.kill();
    }
  }

  async #play(): Promise<AttackResult> {
    const server = await ServerProcess.start(this.#serverOptions());
    this.#server = server;
    const honest = new Peer<HonestOrder, HonestAnswer>(HONEST_PROGRAM, this.#options.niceness.honest);
    this.#honest = honest;
    const { readers, hasMayflies = true } = this.#attack;
    honest.send({ kind: "begin", target: server.target, readers, hasMayflies });
    const begun = await honest.next(({ kind }) => kind === "begun", BEGIN_MS_MAX);
    if (begun?.kind !== "begun" || !begun.isWhole) throw new Error("the honest clients do not see each other");
    honest.send({ kind: "measure" });
    const watch = new Watch(server, this.#options.stopBytes);
    const { isFull } = this.#options;
    const before = server.rssBytes;
    const tally = await this.#strike(server, watch, isFull);
    const rest = [await this.#rest(server)];
    // What a first round has left behind must not be left behind once more by a second one.
    if (isFull && server.isRunning && !watch.isStopped) {
      await this.#strike(server, watch, false);
      rest.push(await this.#rest(server));
    }
    honest.send({ kind: "end" });
    const ended = await honest.next(({ kind }) => kind === "ended", END_MS_MAX);
    const report = ended?.kind === "ended" ? ended.report : NO_REPORT;
    const { isStopped, ...watched } = await watch.end();
    const { attack, memoryBytesMax } = { attack: this.#attack, ...this.#options };
    const log = server.log.toString("latin1");
    const figures = { ...watched, isStopped, memory: { beforeBytes: before, restBytes: rest }, tally, honest: report };
    const looked = isStopped ? [] : await this.#look(server, tally, report);
    const failures = [...failuresOf(attack, { ...figures, ownEnd: server.ownEnd, memoryBytesMax, log }), ...looked];
    const { letter, name, sends } = attack;
    return { letter, name, sends, ...figures, failures, seconds: 0, dir: this.#options.dir };
  }

  #serverOptions(): ServerOptions {
    const { dir, memoryBytesMax, niceness } = this.#options;
    return { ...this.#attack.server, dir, memoryBytesMax, niceness: niceness.server };
  }

  /** One round, by a process of its own; returns what came of it. */
  async #strike(server: ServerProcess, watch: Watch, isFull: boolean): Promise<TallyReport> {
    const { name, full, short, secondsMax = SECONDS.full, shortSecondsMax = SECONDS.short } = this.#attack;
    const durationMs = 1_000 * (isFull ? secondsMax : shortSecondsMax);
    const attacker = new Peer<AttackOrder, AttackerReport>(ATTACKER_PROGRAM, this.#options.niceness.attacker);
    attacker.send({ attack: name, target: server.target, size: isFull ? full : short, isFull, durationMs });
    const endMs = performance.now() + durationMs + OVERTIME_MS;
    while (attacker.last?.isDone !== true && performance.now() < endMs && !watch.isStopped && server.isRunning) {
      await sleep(POLL_MS);
    }
    const tally = attacker.last?.tally ?? NO_TALLY;
    await attacker.kill();
    return tally;
  }

  /** What the server holds some seconds after the attacker has left. */
  async #rest(server: ServerProcess): Promise<number> {
    await sleep(this.#options.isFull ? REST_MS.full : REST_MS.short);
    return server.rssBytes;
  }

  async #look(server: ServerProcess, tally: TallyReport, honest: HonestReport): Promise<readonly string[]> {
    if (!server.isRunning) return [];
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
