// The leases of the registrations that this session keeps. One that it takes over is renewed, and registered only if
// its leader does not know it: nothing changes for subscribers then. The version of a registration is the revision of
// its record, so of two sessions that keep different states of it the newer state wins, whichever comes last. One that
// was taken back is ended again and again for a while, for a session that was cut off may still register it.

import { Deadlines } from "../base/deadlines.ts";
import type { Random } from "../base/ports.ts";
import { packInstance } from "../model/instance.ts";
import type { LeaseAnswer } from "../registry/lease.ts";
import type { PersistentRegistration } from "../registry/persistent.ts";
import { type Entry, isRegistered } from "./copy.ts";
import type { KeeperLease, KeeperOutput, KeeperTimes } from "./keeperPorts.ts";
import type { RecordId } from "./recordForm.ts";

// As many as a leader takes in one batch: a session that takes over a hundred thousand does it part by part.
const UNDER_WAY_MAX = 1_000;
const ANSWER_MS = 10_000;
const RETRY_MS = 1_000;
// Another session may have registered the same state in the same moment, with an older health.
const AGAIN_MS = 2_000;
const JITTER = 0.2;

/** The health that the checks give: `unsure` until each probe has been made here once. */
export type KeptHealth = "healthy" | "unhealthy" | "unsure";

interface Kept {
  readonly entry: Entry;
  next: "renew" | "register" | "end";
  /** A request is under way, and another one is to follow at once. */
  isUnderWay: boolean;
  isUrgent: boolean;
}

interface Parts {
  readonly output: Pick<KeeperOutput, "lease">;
  readonly random: Random;
  readonly times: KeeperTimes;
  readonly health: (entry: Entry) => { readonly known: KeptHealth; readonly isHealthy: boolean };
  /** Whether the copy may be believed: nothing was taken back that is still in it. */
  readonly isConfirmed: (nowMs: number) => boolean;
}

export class KeptLeases {
  readonly #parts: Parts;
  readonly #kept = new Map<RecordId, Kept>();
  readonly #due = new Deadlines<Kept>();
  /** Those that are registered once the copy may be believed. */
  readonly #unconfirmed = new Set<Kept>();
  #underWay = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#kept.size;
  }

  has(id: RecordId): boolean {
    return this.#kept.has(id);
  }

  /** This session keeps the registration, or its mark, from now on. `isNew`: no session has registered this state. */
  keep(entry: Entry, isNew: boolean, nowMs: number): void {
    const kept = this.#kept.get(entry.id) ?? { entry, next: "renew", isUnderWay: false, isUrgent: false };
    const isKnown = this.#kept.has(entry.id);
    this.#kept.set(entry.id, kept);
    if (entry.takenBack !== undefined) kept.next = "end";
    else if (isNew) kept.next = "register";
    else if (kept.next === "end") kept.next = "renew";
    if (isNew || entry.takenBack !== undefined) return this.soon(entry.id, nowMs);
    // Sessions that take over many at once spread them.
    if (!isKnown) this.#due.set(kept, nowMs + this.#parts.times.renewMs * this.#parts.random.next() * JITTER);
  }

  /** Another session keeps it, or none. */
  drop(id: RecordId): void {
    const kept = this.#kept.get(id);
    if (kept === undefined) return;
    this.#kept.delete(id);
    this.#due.delete(kept);
    this.#unconfirmed.delete(kept);
  }

  /** The copy may be believed: those that have waited for that are registered at once. */
  confirmed(nowMs: number): void {
    for (const { entry } of this.#unconfirmed) this.soon(entry.id, nowMs);
    this.#unconfirmed.clear();
  }

  /** Its health has changed: the leader is told at once. */
  soon(id: RecordId, nowMs: number): void {
    const kept = this.#kept.get(id);
    if (kept === undefined) return;
    if (kept.isUnderWay) kept.isUrgent = true;
    else this.#due.set(kept, nowMs);
  }

  nextMs(): number {
    return this.#underWay < UNDER_WAY_MAX ? this.#due.nextMs() : Number.POSITIVE_INFINITY;
  }

  wake(nowMs: number): void {
    while (this.#underWay < UNDER_WAY_MAX) {
      const kept = this.#due.take(nowMs);
      if (kept === undefined) return;
      const lease = this.#leaseOf(kept);
      if (lease === undefined) this.#again(kept, nowMs, this.#parts.times.renewMs);
      else if (lease.kind === "leased" && !this.#parts.isConfirmed(nowMs)) this.#unconfirmed.add(kept);
      else this.#send(kept, lease, nowMs);
    }
  }

  #leaseOf({ entry, next }: Kept): KeeperLease | undefined {
    const { health, times } = this.#parts;
    const { takenBack, revision } = entry;
    if (next === "end" || !isRegistered(entry)) return takenBack && endOf(takenBack, revision);
    const { known, isHealthy } = health(entry);
    if (next === "register") return registered(entry, { isHealthy, leaseMs: times.leaseMs });
    const { serviceKey, registId } = entry.registration;
    // The session that kept it before may have died before it told the leader of the newest state.
    const renewed = { kind: "leaseRenewed", serviceKey, registId, version: revision } as const;
    if (known === "healthy") return renewed;
    return { ...renewed, health: known === "unsure" ? "asBefore" : "unhealthy" };
  }

  #send(kept: Kept, lease: KeeperLease, nowMs: number): void {
    this.#underWay++;
    kept.isUnderWay = true;
    kept.isUrgent = false;
    const { revision } = kept.entry;
    this.#parts.output.lease(lease, { untilMs: nowMs + ANSWER_MS }, (answer, endMs) => {
      this.#underWay--;
      kept.isUnderWay = false;
      if (this.#kept.get(kept.entry.id) !== kept) return;
      const isCurrent = kept.entry.revision === revision;
      const waitMs = isCurrent ? this.#answered(kept, lease, answer) : 0;
      this.#again(kept, endMs, kept.isUrgent ? 0 : waitMs);
    });
  }

  /** Returns the time until the next request. */
  #answered(kept: Kept, { kind }: KeeperLease, answer: LeaseAnswer): number {
    const { times, random } = this.#parts;
    const isHeard = answer.kind === "accepted" && answer.isHeard;
    if (kind === "leaseEnded") return isHeard || answer.kind === "unknown" ? times.endAgainMs : RETRY_MS;
    if (answer.kind === "unknown") {
      kept.next = "register";
      return 0;
    }
    if (answer.kind === "failed") return RETRY_MS;
    const isRegistered = kind === "leased";
    kept.next = "renew";
    return isRegistered ? AGAIN_MS : times.renewMs * (1 - JITTER * random.next());
  }

  #again(kept: Kept, nowMs: number, waitMs: number): void {
    this.#due.set(kept, nowMs + waitMs);
  }
}

/** The end of a registration's lease, as of a revision. */
export function endOf(
  { serviceKey, registId, holder }: Pick<PersistentRegistration, "serviceKey" | "registId" | "holder">,
  revision: bigint,
): KeeperLease {
  return { kind: "leaseEnded", holder, key: { serviceKey, registId, version: revision } };
}

/** The registration as the registry takes it. */
export function registered(
  { registration, revision }: { readonly registration: PersistentRegistration; readonly revision: bigint },
  { isHealthy, leaseMs }: { readonly isHealthy: boolean; readonly leaseMs: number },
): KeeperLease {
  const { serviceKey, registId, holder, zone, appName, instance, checks } = registration;
  // Where there are checks they decide, and not what the client says of itself.
  const shown = checks.length > 0 ? { ...instance, isHealthy: true } : instance;
  const publication = {
    ...{ serviceKey, registId, zone, appName },
    version: revision,
    attributes: new Map<string, string>(),
    payload: packInstance(shown),
  };
  return { kind: "leased", holder, publication, lease: { removedAfterMs: leaseMs }, isHealthy };
}
