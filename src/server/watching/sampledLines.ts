// Lines of the log whose number follows the traffic: a hundred thousand in a second of a storm. They have a budget in
// bytes. In quiet times every line is written; when the budget is spent, a line is written as soon as there is room for
// one, with the number of those that were left out before it. So the log shows samples of the storm, and what a debug
// log adds to a disk is bounded by time, not by traffic.

import type { Clock, Log, LogFields } from "../../base/ports.ts";
import { visible } from "../../base/visible.ts";

/** 86 MiB a day, at most. */
export const SAMPLED_BYTES_PER_SECOND = 1_024;
// A hundred clients that come together with ten registrations each are written in full.
export const SAMPLED_BURST_BYTES = 256 * 1_024;
// Time, level, names of fields and punctuation, and escapes of unusual texts.
const LINE_BYTES = 120;

export class SampledLines {
  readonly #log: Pick<Log, "debug">;
  readonly #clock: Clock;
  #roomBytes = SAMPLED_BURST_BYTES;
  #filledMs: number;
  #leftOut = 0;

  constructor(log: Pick<Log, "debug">, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
    this.#filledMs = clock.nowMs();
  }

  /** Writes the line at debug if there is room; `fields` is only called then. */
  write(event: string, fields: () => LogFields): void {
    const nowMs = this.#clock.nowMs();
    const filled = this.#roomBytes + ((nowMs - this.#filledMs) / 1000) * SAMPLED_BYTES_PER_SECOND;
    this.#roomBytes = Math.min(SAMPLED_BURST_BYTES, filled);
    this.#filledMs = nowMs;
    if (this.#roomBytes <= 0) {
      this.#leftOut++;
      return;
    }
    const written = this.#leftOut === 0 ? fields() : { ...fields(), leftOut: this.#leftOut };
    this.#leftOut = 0;
    // A long line is paid for by those after it.
    this.#roomBytes -= bytesOf(event, written);
    this.#log.debug(event, written);
  }
}

function bytesOf(event: string, fields: LogFields): number {
  let bytes = LINE_BYTES + event.length;
  for (const [key, value] of Object.entries(fields)) bytes += key.length + Buffer.byteLength(visible(String(value)));
  return bytes;
}
