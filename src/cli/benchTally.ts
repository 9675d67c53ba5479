// The measurements of `roster bench`: how long after its time each change was acknowledged by the session, and seen by
// each subscriber of its service. A list that shows a later version of a registration has shown the ones before, since
// changes of a busy service are gathered. A change counts from the time at which it was due, so that a program that
// falls behind does not look fast.

import { Latencies, type LatencySummary } from "./latencies.ts";

/** Where a list says which version of which publisher it shows. */
const MARK = /[?&]bench=(\d+)\.(\d+)(?:&|$)/;

/** The box of a publisher's version. The address is one of those that stand for none. */
export function markedBox(publisher: number, version: number): string {
  return `192.0.2.${1 + (publisher % 254)}:${1_024 + (publisher % 64_000)}?bench=${publisher}.${version}`;
}

interface Registration {
  readonly service: number;
  /** By version, when the change to it was due; the first is the registration itself. */
  readonly dueMs: number[];
  acknowledged: number;
}

interface Seeing {
  readonly service: number;
  /** By publisher, the version that was seen last. */
  readonly versions: Map<number, number>;
}

export interface TallyResult {
  /** From the first registration of a publisher to its acknowledgement. */
  readonly registered: LatencySummary;
  /** From a change to its acknowledgement. */
  readonly acknowledged: LatencySummary;
  /** From a change to the list of a subscriber that shows it, or a later one. */
  readonly seen: LatencySummary;
  /** Registrations and changes that were not acknowledged, and lists of subscribers that lack a change. */
  readonly notAcknowledged: number;
  readonly notSeen: number;
}

export class BenchTally {
  readonly #registrations: Registration[] = [];
  readonly #subscribers: Seeing[] = [];
  readonly #registered = new Latencies();
  readonly #acknowledged = new Latencies();
  readonly #seen = new Latencies();
  /** By service, how many subscribers it has. */
  readonly #audience = new Map<number, number>();
  #missing = 0;
  #unseen = 0;
  /** Publishers that a subscriber has not seen at all, for all subscribers together. */
  #unmet = 0;

  /** A subscriber of a service, before its publishers; returns its number. */
  subscriber(service: number): number {
    this.#audience.set(service, this.#audienceOf(service) + 1);
    return this.#subscribers.push({ service, versions: new Map() }) - 1;
  }

  /** A publisher registers. Returns its number; its first version is 1. */
  publisher(service: number, dueMs: number): number {
    this.#missing++;
    this.#unmet += this.#audienceOf(service);
    return this.#registrations.push({ service, dueMs: [dueMs], acknowledged: 0 }) - 1;
  }

  /** A publisher changes. Returns its version from now on. */
  changed(publisher: number, dueMs: number): number {
    const registration = this.#registrations[publisher];
    if (registration === undefined) return 0;
    this.#missing++;
    this.#unseen += this.#audienceOf(registration.service);
    return registration.dueMs.push(dueMs);
  }

  /** The session has this version of a publisher, and with it those before. */
  acknowledged(publisher: number, version: number, nowMs: number): void {
    const registration = this.#registrations[publisher];
    if (registration === undefined) return;
    const { dueMs } = registration;
    for (let at = registration.acknowledged; at < Math.min(version, dueMs.length); at++) {
      (at === 0 ? this.#registered : this.#acknowledged).add(nowMs - (dueMs[at] ?? nowMs));
      registration.acknowledged = at + 1;
      this.#missing--;
    }
  }

  /** A subscriber was shown a list. */
  shown(subscriber: number, boxes: readonly string[], nowMs: number): void {
    const seeing = this.#subscribers[subscriber];
    if (seeing === undefined) return;
    for (const box of boxes) {
      const [, publisher, version] = MARK.exec(box) ?? [];
      if (publisher !== undefined) this.#saw(seeing, Number(publisher), Number(version), nowMs);
    }
  }

  /** Whether all publishers are registered, and each subscriber has seen those of its service. */
  get isWhole(): boolean {
    return this.#missing === 0 && this.#unmet === 0;
  }

  /** Whether nothing is missing any more. */
  get isOver(): boolean {
    return this.#missing === 0 && this.#unseen === 0;
  }

  result(): TallyResult {
    return {
      registered: this.#registered.summary(),
      acknowledged: this.#acknowledged.summary(),
      seen: this.#seen.summary(),
      notAcknowledged: this.#missing,
      notSeen: this.#unseen,
    };
  }

  #audienceOf(service: number): number {
    return this.#audience.get(service) ?? 0;
  }

  #saw({ service, versions }: Seeing, publisher: number, version: number, nowMs: number): void {
    const registration = this.#registrations[publisher];
    if (registration === undefined || registration.service !== service) return;
    const before = versions.get(publisher) ?? 0;
    if (version <= before) return;
    versions.set(publisher, version);
    if (before === 0) this.#unmet--;
    const { dueMs } = registration;
    // The first version is the registration, which subscribers may have seen late: they came later.
    for (let at = Math.max(before, 1); at < Math.min(version, dueMs.length); at++) {
      this.#seen.add(nowMs - (dueMs[at] ?? nowMs));
      this.#unseen--;
    }
  }
}
