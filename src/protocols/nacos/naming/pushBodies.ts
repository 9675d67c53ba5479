// Lists as bytes of JSON, each made once for a service, a version and a selection, and shared by all answers and pushes
// that show it. Those that no one asks for go after a minute, and earlier if there is too much.

import type { ServiceKey } from "../../../model/ids.ts";
import { timeOf } from "../../../model/version.ts";
import type { ServiceView } from "../../../registry/registry.ts";
import { jsonBytes } from "../codec/bodies.ts";
import { hostsJson, type NameForm, type Selection, serviceInfoJson } from "./serviceInfo.ts";

/** The JSON of a list. */
export interface ListBody {
  /** Shared; never changes. */
  readonly json: Uint8Array;
  /** The approximate milliseconds that making it took; 0 if it existed. */
  readonly costMs: number;
}

interface Parts {
  /** The threshold that an operator has set for a service; undefined if none has. */
  readonly protectThreshold: (serviceKey: ServiceKey) => number | undefined;
  readonly nowMs: () => number;
  /** For tests: another bound. */
  readonly bytesMax?: number;
}

/** The bodies of one service, at its newest version that was asked for. */
interface ServiceBodies {
  readonly view: ServiceView;
  readonly threshold: number | undefined;
  /** The time of the list: some clients drop one whose time is not later than that of theirs. */
  readonly refMs: number;
  readonly bodies: Map<string, Uint8Array>;
  bytes: number;
  usedMs: number;
}

// 4,000 services of 50 instances.
const BYTES_MAX = 48 * 1024 * 1024;
const UNUSED_MS = 60_000;
const SERVICE_BYTES = 500;
const BODY_BYTES = 150;
// Clusters are the client's own words: more combinations than this are an attack.
const BODIES_MAX = 64;
// An estimate: 12 µs for each KiB.
const COST_MS_PER_BYTE = 0.000_012;

export class PushBodies {
  readonly #parts: Parts;
  // The least recently used is first.
  readonly #services = new Map<ServiceKey, ServiceBodies>();
  #bytes = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** The approximate memory of everything that is kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The list as a subscriber by gRPC gets it; `clusters` are those that it wants, with commas between. */
  serviceInfo(view: ServiceView, clusters: string): ListBody {
    return this.list(view, { clusters, nameForm: "plain" });
  }

  /** The instances of a list alone. */
  hosts(view: ServiceView, selection: Selection): readonly Record<string, unknown>[] {
    return hostsJson(view, selection, this.#parts.protectThreshold(view.serviceKey)).hosts;
  }

  list(view: ServiceView, selection: Selection & { readonly nameForm: NameForm }): ListBody {
    const kept = this.#keptFor(view);
    const { clusters, nameForm, isHealthyOnly = false, hasDisabled = false } = selection;
    const key = `${nameForm} ${isHealthyOnly} ${hasDisabled} ${clusters}`;
    const known = kept.bodies.get(key);
    if (known !== undefined) return { json: known, costMs: 0 };
    const json = jsonBytes(serviceInfoJson(view, selection, { protectThreshold: kept.threshold, refMs: kept.refMs }));
    if (kept.bodies.size < BODIES_MAX) {
      kept.bodies.set(key, json);
      this.#add(kept, json.length + BODY_BYTES + 2 * key.length);
    }
    this.#dropOldest();
    return { json, costMs: json.length * COST_MS_PER_BYTE };
  }

  /** Drops what was not used for a while. Called twice a second. */
  check(nowMs: number): void {
    for (const [serviceKey, { usedMs }] of this.#services) {
      if (nowMs - usedMs < UNUSED_MS) return;
      this.#drop(serviceKey);
    }
  }

  #keptFor(view: ServiceView): ServiceBodies {
    const { serviceKey } = view;
    const threshold = this.#parts.protectThreshold(serviceKey);
    const usedMs = this.#parts.nowMs();
    const known = this.#services.get(serviceKey);
    if (known?.view === view && known.threshold === threshold) {
      this.#services.delete(serviceKey);
      this.#services.set(serviceKey, known);
      known.usedMs = usedMs;
      return known;
    }
    this.#drop(serviceKey);
    // Versions may be made in one millisecond.
    const refMs = Math.max(timeOf(view.version), (known?.refMs ?? 0) + 1);
    const kept = { view, refMs, threshold, bodies: new Map<string, Uint8Array>(), bytes: 0, usedMs };
    this.#services.set(serviceKey, kept);
    this.#add(kept, SERVICE_BYTES);
    return kept;
  }

  #add(kept: ServiceBodies, bytes: number): void {
    kept.bytes += bytes;
    this.#bytes += bytes;
  }

  #drop(serviceKey: ServiceKey): void {
    this.#bytes -= this.#services.get(serviceKey)?.bytes ?? 0;
    this.#services.delete(serviceKey);
  }

  #dropOldest(): void {
    const { bytesMax = BYTES_MAX } = this.#parts;
    for (const serviceKey of this.#services.keys()) {
      if (this.#bytes <= bytesMax || this.#services.size === 1) return;
      this.#drop(serviceKey);
    }
  }
}
