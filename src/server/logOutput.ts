// The output of the log's lines: standard output. Its reader may be slow, stuck or gone, and its disk full; none of
// this may hold up the server, least of all while it stops. Lines that can't be written wait, up to a bound; beyond it
// lines are lost, which is counted, and reported as soon as lines can be written again.
//
// Node's own stream writes to a pipe, without blocking. Node writes to a file or a terminal at once, which may take
// long, and gives its stream up at the first error; so these are written here, in a thread of Node's pool, and tried
// again.

import { fstatSync, write } from "node:fs";
import type { Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { Metrics } from "../base/metrics.ts";

export interface LogOutput {
  /** Takes a line with its end. */
  write(line: string): void;
  /** Waits a moment until all is written; the rest is then given up. */
  stop(): Promise<void>;
}

export interface LogOutputOptions {
  readonly metrics: Metrics;
  /** Lines can be written again after this many were lost. */
  readonly recovered: (lost: number) => void;
}

// The most bytes that wait for a slow reader or a full disk; further ones are lost.
const WAITING_BYTES_MAX = 4 * 1024 * 1024;
// The most that goes to the disk at a time.
const CHUNK_CHARS_MAX = 64 * 1024;
// A full disk stays full for a while.
const RETRY_MS = 500;
// The most time that a stopped reader may cost at the end.
const LAST_WRITE_MS_MAX = 300;
const POLL_MS = 5;
const STDOUT = 1;

/** Standard output of this process, for the lines of its log. */
export function openLogOutput({ metrics, recovered }: LogOutputOptions): LogOutput {
  const way = isPipe() ? new PipeOutput(metrics) : new FileOutput(metrics);
  let lost = 0;
  return {
    write: (line) => {
      if (way.waitingBytes + line.length > WAITING_BYTES_MAX) {
        lost++;
        metrics.add("roster_log_lines_lost_total", 1);
        return;
      }
      way.write(line);
      if (lost === 0) return;
      const told = lost;
      lost = 0;
      recovered(told);
    },
    stop: async () => {
      const endMs = performance.now() + LAST_WRITE_MS_MAX;
      while (way.waitingBytes > 0 && performance.now() < endMs) await sleep(POLL_MS);
      way.stop();
    },
  };
}

interface Way {
  readonly waitingBytes: number;
  write(line: string): void;
  stop(): void;
}

function isPipe(): boolean {
  try {
    const status = fstatSync(STDOUT);
    return status.isFIFO() || status.isSocket();
  } catch {
    // Standard output is closed; each write reports that.
    return false;
  }
}

class PipeOutput implements Way {
  readonly #metrics: Metrics;
  #stream: Writable | undefined;
  #isBroken = false;

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  get waitingBytes(): number {
    return this.#isBroken ? 0 : (this.#stream?.writableLength ?? 0);
  }

  write(line: string): void {
    // Made with the first line: making it changes the descriptor, which a process without log lines need not do.
    this.#stream ??= process.stdout.on("error", () => this.#broken());
    if (this.#isBroken) this.#metrics.add("roster_log_lines_lost_total", 1);
    else this.#stream.write(line);
  }

  stop(): void {
    // The waiting lines are Node's, and go with the process.
  }

  /** The reader is gone, and no other one will come. */
  #broken(): void {
    this.#isBroken = true;
    this.#metrics.set("roster_log_blocked", 1);
  }
}

class FileOutput implements Way {
  waitingBytes = 0;
  readonly #metrics: Metrics;
  #lines: string[] = [];
  /** The bytes that are being written, or are to be written next. */
  #chunk: Buffer = Buffer.alloc(0);
  #isUnderWay = false;
  #isBlocked = false;
  #retry: NodeJS.Timeout | undefined;

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
  }

  write(line: string): void {
    this.#lines.push(line);
    this.waitingBytes += Buffer.byteLength(line);
    if (!this.#isUnderWay) this.#writeNext();
  }

  stop(): void {
    clearTimeout(this.#retry);
    this.#isUnderWay = true;
  }

  #writeNext(): void {
    if (this.#chunk.length === 0) this.#chunk = this.#takeChunk();
    this.#isUnderWay = this.#chunk.length > 0;
    if (this.#isUnderWay) write(STDOUT, this.#chunk, (error, written) => this.#written(error === null ? written : 0));
  }

  #takeChunk(): Buffer {
    let [end, chars] = [0, 0];
    while (end < this.#lines.length && chars < CHUNK_CHARS_MAX) chars += this.#lines[end++]?.length ?? 0;
    return Buffer.from(this.#lines.splice(0, end).join(""));
  }

  #written(bytes: number): void {
    this.#chunk = this.#chunk.subarray(bytes);
    this.waitingBytes -= bytes;
    if (this.#isBlocked !== (bytes === 0)) {
      this.#isBlocked = bytes === 0;
      this.#metrics.set("roster_log_blocked", this.#isBlocked ? 1 : 0);
    }
    if (bytes > 0) this.#writeNext();
    else this.#retry = setTimeout(() => this.#writeNext(), RETRY_MS);
  }
}
