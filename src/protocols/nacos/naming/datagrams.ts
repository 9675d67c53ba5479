// Lists as datagrams, each made once and shared by all who are pushed it.

import type { Compression } from "../../../base/ports.ts";
import type { ServiceView } from "../../../registry/registry.ts";
import { encodeDatagram } from "../codec/datagram.ts";
import type { NacosEnvironment } from "../environment.ts";
import type { PushBodies } from "./pushBodies.ts";

interface Parts extends Pick<NacosEnvironment, "metrics"> {
  readonly bodies: Pick<PushBodies, "list">;
  readonly compression: Pick<Compression, "gzip">;
  readonly nowMs: () => number;
}

/** A list as a message. */
export interface Datagram {
  /** Undefined: the list is too long for one. */
  readonly bytes: Uint8Array | undefined;
  /** The time that its acknowledgement names, as text; no other list has it. */
  readonly refTime: string;
  /** The approximate milliseconds that making it took; 0 if it existed. */
  readonly costMs: number;
}

// gzip takes some 20 µs for each KiB.
const COST_MS_PER_BYTE = 0.000_02;
// Microseconds, so that lists of one millisecond have times of their own.
const TIMES_A_MS = 1_000;

export class Datagrams {
  readonly #parts: Parts;
  readonly #made = new WeakMap<Uint8Array, Datagram>();
  #lastRefTime = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  of(view: ServiceView, clusters: string): Datagram {
    const { bodies, compression, nowMs, metrics } = this.#parts;
    const { json, costMs } = bodies.list(view, { clusters, nameForm: "grouped" });
    const known = this.#made.get(json);
    if (known !== undefined) return known;
    this.#lastRefTime = Math.max(Math.floor(nowMs() * TIMES_A_MS), this.#lastRefTime + 1);
    const bytes = encodeDatagram(json, this.#lastRefTime, compression);
    if (bytes === undefined) metrics.add("roster_nacos_datagrams_total", 1, { outcome: "too_large" });
    const made = { bytes, refTime: String(this.#lastRefTime), costMs: 0 };
    this.#made.set(json, made);
    return { ...made, costMs: costMs + json.length * COST_MS_PER_BYTE };
  }
}
