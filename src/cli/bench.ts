// `roster bench`: publishers that change, subscribers that see it, and how long that takes. Its services are its own,
// so it concerns no other client, and everything is taken back at the end.

import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Json } from "../admin/schema.ts";
import { fail } from "../base/errors.ts";
import { visible } from "../base/visible.ts";
import { makeServiceKey } from "../model/serviceKey.ts";
import { aligned } from "./aligned.ts";
import { BenchTally, markedBox, type TallyResult } from "./benchTally.ts";
import { BoltClient, type BoltClientEvents, type OwnPublisher } from "./boltClient.ts";
import { EXIT, type ExitCode } from "./exitCodes.ts";
import type { LatencySummary } from "./latencies.ts";
import type { NodeClient } from "./nodeClient.ts";
import { encoded, printNote } from "./output.ts";
import { Progress } from "./progress.ts";
import { sessionAddresses } from "./sessionAddresses.ts";

export interface BenchOptions {
  readonly client: NodeClient;
  /** The session's port for clients, `host:port`; without it all of the cluster's sessions in turn. */
  readonly session: string | undefined;
  readonly publishers: number;
  readonly subscribers: number;
  readonly services: number;
  /** Changes a second, of all publishers together. */
  readonly rate: number;
  readonly durationMs: number;
  readonly output: "table" | "json" | "yaml";
  readonly stopped: AbortSignal;
}

// Each is a number in memory until the end.
const CHANGES_MAX = 1_000_000;
// Some are refused at first, or come to a session that has just gone.
const START_MS_MAX = 30_000;
const LAST_SEEN_MS_MAX = 10_000;
const TAKEN_BACK_MS_MAX = 5_000;
// Connections made at once: a listening socket's queue takes some hundred.
const CONNECTIONS_AT_ONCE = 20;
const CONNECTIONS_PAUSE_MS = 20;
const STEP_MS = 10;
// Reasons of a kind: the rest are counted under it.
const REASONS_MAX = 10;

/** Runs it, prints the figures, and takes everything back. The exit code is `failed` if anything went wrong. */
export async function bench(options: BenchOptions): Promise<ExitCode> {
  const { rate, durationMs } = options;
  const changes = (rate * durationMs) / 1_000;
  if (changes > CHANGES_MAX) {
    throw fail("FIELD_INVALID", { field: "--rate", changes, expected: `at most ${CHANGES_MAX} changes in all` });
  }
  const run = new BenchRun(options);
  const progress = new Progress();
  try {
    await run.begin((text) => progress.report(text));
    await run.change((text) => progress.report(text));
    await run.takeBack();
  } finally {
    run.close();
    progress.end();
  }
  return print(run.figures(), options.output);
}

interface BenchPublisher {
  readonly client: BoltClient;
  readonly number: number;
  own: OwnPublisher | undefined;
}

class BenchRun {
  readonly #options: BenchOptions;
  readonly #prefix = `roster-bench-${randomBytes(4).toString("hex")}`;
  readonly #nextSession: () => Promise<string>;
  readonly #tally = new BenchTally();
  readonly #clients: BoltClient[] = [];
  readonly #publishers: BenchPublisher[] = [];
  readonly #sessions = new Map<string, number>();
  readonly #reasons = new Map<string, number>();
  #lost = 0;
  #late = 0;
  #isEnding = false;
  #isWhole = false;
  #changes = 0;
  #takenBack = 0;
  #changedMs = 0;

  constructor(options: BenchOptions) {
    this.#options = options;
    this.#nextSession = sessionAddresses(options.client, options.session);
  }

  /** Connects and registers all; resolves when each subscriber shows each publisher. Rejects with NODE_UNREACHABLE. */
  async begin(report: (text: string) => void): Promise<void> {
    const { publishers, subscribers, services, stopped } = this.#options;
    for (let at = 0; at < subscribers && !stopped.aborted; at++) {
      this.#subscribe(at % services);
      await this.#pace(report);
    }
    for (let at = 0; at < publishers && !stopped.aborted; at++) {
      this.#publish(at, at % services);
      await this.#pace(report);
    }
    const endMs = performance.now() + START_MS_MAX;
    while (!this.#tally.isWhole && performance.now() < endMs && !stopped.aborted) {
      report("waiting until every subscriber shows every publisher");
      await sleep(STEP_MS);
    }
    this.#isWhole = this.#tally.isWhole;
    if (this.#tally.result().registered.count > 0 || stopped.aborted) return;
    const [reason = "no session has answered"] = this.#reasons.keys();
    throw fail("NODE_UNREACHABLE", { reason });
  }

  /** Changes the publishers in turn, at the rate, and waits until all of it is seen. */
  async change(report: (text: string) => void): Promise<void> {
    const { rate, durationMs, stopped } = this.#options;
    const startMs = performance.now();
    for (let done = 0; !stopped.aborted; ) {
      const nowMs = performance.now();
      const due = Math.min(Math.floor(((nowMs - startMs) * rate) / 1_000), Math.floor((durationMs * rate) / 1_000));
      for (; done < due; done++) this.#changeOne(done, startMs + (done * 1_000) / rate);
      if (nowMs >= startMs + durationMs) break;
      report(`${done} changes, ${Math.round((startMs + durationMs - nowMs) / 1_000)} s to go`);
      await sleep(STEP_MS);
    }
    this.#changedMs = performance.now() - startMs;
    const endMs = performance.now() + LAST_SEEN_MS_MAX;
    while (!this.#tally.isOver && performance.now() < endMs && !stopped.aborted) {
      report("waiting for the last lists");
      await sleep(STEP_MS);
    }
  }

  /** Takes all publishers back, and waits for the answers for a while: the end of the connections does the rest. */
  async takeBack(): Promise<void> {
    this.#isEnding = true;
    for (const { client, own } of this.#publishers) if (own !== undefined) client.unregister(own);
    const endMs = performance.now() + TAKEN_BACK_MS_MAX;
    while (this.#takenBack < this.#publishers.length && performance.now() < endMs) await sleep(STEP_MS);
  }

  /** May be called twice. */
  close(): void {
    for (const client of this.#clients) client.close();
  }

  figures(): BenchFigures {
    const { publishers, subscribers, services, rate } = this.#options;
    const tally = this.#tally.result();
    const seconds = Math.round(this.#changedMs) / 1_000;
    return {
      ...{ services: `${this.#prefix}.1 to .${services}`, publishers, subscribers, seconds },
      rate: { asked: rate, reached: seconds === 0 ? 0 : Math.round((100 * this.#changes) / seconds) / 100 },
      sessions: Object.fromEntries(this.#sessions),
      latencies: { registered: tally.registered, acknowledged: tally.acknowledged, seen: tally.seen },
      errors: {
        notWhole: this.#isWhole ? 0 : 1,
        notAcknowledged: tally.notAcknowledged,
        notSeen: tally.notSeen,
        connectionsLost: this.#lost,
        reasons: Object.fromEntries(this.#reasons),
      },
      lateChanges: this.#late,
    };
  }

  #subscribe(service: number): void {
    const number = this.#tally.subscriber(service);
    const client = this.#open({ pushed: (values) => this.#tally.shown(number, values, performance.now()) });
    client.subscribe(this.#serviceKey(service));
  }

  #publish(at: number, service: number): void {
    const number = this.#tally.publisher(service, performance.now());
    const client = this.#open({
      acknowledged: ({ isRegistered, version }, session) => {
        if (isRegistered) this.#acknowledged(at, Number(version), session);
        else this.#takenBack++;
      },
    });
    const own = client.publish(this.#serviceKey(service), [markedBox(number, 1)]);
    this.#publishers.push({ client, number, own });
  }

  #acknowledged(at: number, version: number, session: string): void {
    const number = this.#publishers[at]?.number;
    if (number === undefined) return;
    if (version === 1) this.#sessions.set(session, (this.#sessions.get(session) ?? 0) + 1);
    this.#tally.acknowledged(number, version, performance.now());
  }

  #changeOne(at: number, dueMs: number): void {
    const publisher = this.#publishers[at % this.#publishers.length];
    if (publisher?.own === undefined) return;
    // Beyond a step or two this machine is too busy to keep the rate.
    if (performance.now() > dueMs + LATE_MS) this.#late++;
    this.#changes++;
    const version = this.#tally.changed(publisher.number, dueMs);
    publisher.client.republish(publisher.own, [markedBox(publisher.number, version)]);
  }

  #open(events: Partial<BoltClientEvents>): BoltClient {
    const all: BoltClientEvents = {
      acknowledged: () => undefined,
      refused: (message) => this.#count(message.split(":")[0] ?? message),
      disconnected: (_, reason) => {
        if (this.#isEnding) return;
        this.#lost++;
        this.#count(reason);
      },
      ...events,
    };
    const options = { appName: "roster-bench", zone: "DEFAULT_ZONE", from: undefined, nextSession: this.#nextSession };
    const client = new BoltClient(options, all);
    this.#clients.push(client);
    return client;
  }

  #count(reason: string): void {
    const shown = this.#reasons.has(reason) || this.#reasons.size < REASONS_MAX ? reason : "others";
    this.#reasons.set(shown, (this.#reasons.get(shown) ?? 0) + 1);
  }

  async #pace(report: (text: string) => void): Promise<void> {
    if (this.#clients.length % CONNECTIONS_AT_ONCE !== 0) return;
    report(`${this.#clients.length} clients`);
    await sleep(CONNECTIONS_PAUSE_MS);
  }

  #serviceKey(service: number) {
    return makeServiceKey({
      name: `${this.#prefix}.${service + 1}`,
      namespace: "DEFAULT_INSTANCE_ID",
      group: "DEFAULT_GROUP",
    });
  }
}

const LATE_MS = 50;

/** The figures of a run. */
export interface BenchFigures {
  /** The names of its services. */
  readonly services: string;
  readonly publishers: number;
  readonly subscribers: number;
  /** The time in which changes were made. */
  readonly seconds: number;
  readonly rate: { readonly asked: number; readonly reached: number };
  /** The publishers that each session had at first. */
  readonly sessions: Readonly<Record<string, number>>;
  readonly latencies: Readonly<Record<"registered" | "acknowledged" | "seen", LatencySummary>>;
  readonly errors: Pick<TallyResult, "notAcknowledged" | "notSeen"> & {
    /** 1 if not every subscriber showed every publisher before the changes began. */
    readonly notWhole: number;
    readonly connectionsLost: number;
    /** Refusals and ends of connections, by reason. */
    readonly reasons: Readonly<Record<string, number>>;
  };
  /** Changes that this program made later than they were due: the machine of the command is too busy. */
  readonly lateChanges: number;
}

/** The errors of a run; 0 if all was well. */
export function errorsIn({ notWhole, notAcknowledged, notSeen, connectionsLost, reasons }: BenchFigures["errors"]) {
  return notWhole + notAcknowledged + notSeen + connectionsLost + Object.keys(reasons).length;
}

function print(figures: BenchFigures, output: BenchOptions["output"]): ExitCode {
  const exit = errorsIn(figures.errors) === 0 ? EXIT.ok : EXIT.failed;
  if (output !== "table") console.log(encoded(figures as unknown as Json, output));
  else for (const line of linesOf(figures)) console.log(visible(line));
  if (figures.lateChanges > 0) {
    printNote(`${figures.lateChanges} changes were made late: this machine is too busy for the rate`);
  }
  return exit;
}

const LATENCY_WORDS = { registered: "registered", acknowledged: "change taken", seen: "change seen" } as const;

function linesOf({ latencies, errors, ...figures }: BenchFigures): readonly string[] {
  const { publishers, subscribers, services, seconds, rate, sessions } = figures;
  const ms = (value: number | null) => (value === null ? "-" : `${value} ms`);
  const rows = (Object.keys(LATENCY_WORDS) as (keyof typeof LATENCY_WORDS)[]).map((name) => {
    const { count, p50Ms, p90Ms, p99Ms, maxMs } = latencies[name];
    return [LATENCY_WORDS[name], String(count), ms(p50Ms), ms(p90Ms), ms(p99Ms), ms(maxMs)];
  });
  const reasons = Object.entries(errors.reasons).map(([reason, count]) => `${reason} (${count})`);
  const wrong = [
    ...(errors.notWhole === 0 ? [] : ["not every subscriber showed every publisher at first"]),
    ...(errors.notAcknowledged === 0 ? [] : [`${errors.notAcknowledged} not taken`]),
    ...(errors.notSeen === 0 ? [] : [`${errors.notSeen} not seen`]),
    ...(errors.connectionsLost === 0 ? [] : [`${errors.connectionsLost} connections lost`]),
    ...reasons,
  ];
  return [
    `${publishers} publishers and ${subscribers} subscribers of ${services}, at ${Object.keys(sessions).join(", ")}`,
    `${rate.reached} of ${rate.asked} changes a second, for ${seconds} s`,
    "",
    ...aligned([["", "COUNT", "P50", "P90", "P99", "MAX"], ...rows]),
    "",
    wrong.length === 0 ? "errors: none" : `errors: ${wrong.join("; ")}`,
  ];
}
