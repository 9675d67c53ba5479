// A scraped worker answers for all workers: it asks the supervising process, which asks each worker and passes on their
// answers.

import type { ChildProcess } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import type { MetricsPage } from "../server/metrics.ts";
import type { ProcessValues } from "../server/metricValues.ts";
import { onlyGrowing, remainderOf } from "../server/workersPage.ts";

/** The messages between a worker and its supervising process. */
type Message =
  | { readonly kind: "metricsAsked"; readonly ask: number }
  | { readonly kind: "metrics"; readonly ask: number; readonly all: readonly ProcessValues[] }
  | { readonly kind: "valuesAsked" }
  | { readonly kind: "values"; readonly values: ProcessValues };

export interface MeasuredWorker {
  readonly number: number;
  readonly process: ChildProcess;
}

// A worker reports its values within milliseconds, or is stuck; Prometheus gives up after ten seconds.
const VALUES_MS_MAX = 1_000;
const METRICS_MS_MAX = 2_000;

/** The supervising process's part. */
export class WorkersMetrics {
  /** The last report of each running worker. */
  readonly #last = new Map<number, ProcessValues>();
  /** The counts of workers that have ended. */
  #ended: ProcessValues = [];
  /** The workers that have not answered yet; further scrapes in the meantime get the same answer. */
  readonly #silent = new Set<number>();
  #allAnswered: () => void = () => undefined;
  #gathering: Promise<readonly ProcessValues[]> | undefined;

  /** Handles a worker's message about metrics and ignores any other. */
  received(from: MeasuredWorker, workers: readonly MeasuredWorker[], message: unknown): void {
    if (!isMessage(message)) return;
    if (message.kind === "metricsAsked") void this.#answer(from.process, workers, message.ask);
    if (message.kind !== "values") return;
    this.#last.set(from.number, message.values);
    this.#hasAnswered(from.number);
  }

  ended({ number }: MeasuredWorker): void {
    const last = this.#last.get(number) ?? [];
    this.#last.delete(number);
    this.#ended = remainderOf(this.#ended, last);
    this.#hasAnswered(number);
  }

  async #answer(asker: ChildProcess, workers: readonly MeasuredWorker[], ask: number): Promise<void> {
    this.#gathering ??= this.#gather(workers).finally(() => {
      this.#gathering = undefined;
    });
    tell(asker, { kind: "metrics", ask, all: await this.#gathering });
  }

  async #gather(workers: readonly MeasuredWorker[]): Promise<readonly ProcessValues[]> {
    const answered = new Promise<void>((resolve) => {
      this.#allAnswered = resolve;
    });
    this.#silent.clear();
    for (const { number, process: worker } of workers) {
      if (worker.connected) this.#silent.add(number);
      tell(worker, { kind: "valuesAsked" });
    }
    await Promise.race([answered, sleep(VALUES_MS_MAX)]);
    // A counter must not fall because its process is stuck for a moment.
    const said = [...this.#last].map(([number, values]) => (this.#silent.has(number) ? onlyGrowing(values) : values));
    return [this.#ended, ...said];
  }

  #hasAnswered(number: number): void {
    this.#silent.delete(number);
    if (this.#silent.size === 0) this.#allAnswered();
  }
}

/**
 * A worker's part: from now on its page has the values of all workers. A process that is not a worker keeps its own.
 */
export function shareMetrics(page: MetricsPage): void {
  if (process.send === undefined) return;
  const waiting = new Map<number, (all: readonly ProcessValues[]) => void>();
  process.on("message", (message) => {
    if (!isMessage(message)) return;
    if (message.kind === "valuesAsked") tell(process, { kind: "values", values: page.values() });
    if (message.kind === "metrics") waiting.get(message.ask)?.(message.all);
  });
  let asks = 0;
  page.gatherFrom(async () => {
    const ask = ++asks;
    const answer = new Promise<readonly ProcessValues[]>((resolve) => {
      waiting.set(ask, resolve);
      tell(process, { kind: "metricsAsked", ask });
    });
    const all = await Promise.race([answer, sleep(METRICS_MS_MAX)]);
    waiting.delete(ask);
    return all ?? [page.values()];
  });
}

/** A closing channel takes nothing, and reports that by an event that would end the process. */
function tell(peer: ChildProcess | NodeJS.Process, message: Message): void {
  if (peer.connected) peer.send?.(message, undefined, undefined, () => undefined);
}

function isMessage(message: unknown): message is Message {
  return typeof message === "object" && message !== null && "kind" in message;
}
