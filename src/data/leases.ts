// Registrations that are kept by heartbeats, in the slots that this node leads. Their heartbeats come to any session,
// which sends them here in batches. A heartbeat changes nothing and pushes nothing, unless the registration was shown
// as unhealthy. Followers know how long leases are, and not when they end: a node that begins to lead gives each a full
// time. Clients of registrations that are not known here register again.
//
// No session could say what an earlier leader was told and this one was not: that one took changes until it died, or
// for its half of a cut cluster. The clients alone know. So when this node begins to lead, and when a session comes
// that has passed something on to an earlier leader, each registration is in doubt: a heartbeat that names no version
// counts, and is answered as if the registration were not known, until its client has registered it again.

import { defined } from "../base/assert.ts";
import type { Metrics } from "../base/metrics.ts";
import type { Renew, Renewed } from "../cluster/messages/lease.ts";
import type { PublishItem } from "../cluster/messages/sessionData.ts";
import type { ServiceKey } from "../model/ids.ts";
import { type Condition, isKeptByLease, LEASE_KEEPER } from "../model/publication.ts";
import type { Applied, Commits } from "./commits.ts";
import type { Datum } from "./datum.ts";
import type { Intake } from "./intake.ts";
import { leftItem } from "./items.ts";
import type { LeaseClock } from "./leaseClock.ts";
import { dueAt, type KeptLease, type LeaseTable, limitOf } from "./leaseTable.ts";
import type { LedSlot } from "./ledSlot.ts";
import type { SilentServices } from "./silentServices.ts";
import type { Slots } from "./slots.ts";

// Looking at a lease takes a fifth of a microsecond, a change of its registration some ten: a millisecond or two.
const WORK_PER_STEP = 5_000;
const WORK_PER_CHANGE = 50;
// The time until a lease that can't be judged is looked at again.
const LOOK_MS = 1_000;
// The most clients that are asked in a second to register again: a few percent of a core. The others have their turn
// with a later heartbeat, a hundred thousand within two minutes.
const ASKED_A_SECOND_MAX = 1_000;

interface Parts {
  readonly slots: Pick<Slots, "leading" | "ledSlot">;
  readonly table: LeaseTable;
  readonly clock: LeaseClock;
  readonly silent: SilentServices;
  readonly commits: Pick<Commits, "commit">;
  readonly intake: Pick<Intake, "take">;
}

/** The registrations of one service whose health has changed in a step. */
interface Changed extends Applied {
  readonly led: LedSlot;
}

/** A lease and its registration's place. */
interface Place {
  readonly lease: KeptLease;
  readonly led: LedSlot;
  readonly datum: Datum;
}

export class Leases {
  readonly #parts: Parts;
  readonly #metrics: Metrics;
  /** The clients that were asked to register again since then. */
  #asked = { sinceMs: Number.NEGATIVE_INFINITY, clients: 0 };

  constructor(parts: Parts, metrics: Metrics) {
    this.#parts = parts;
    this.#metrics = metrics;
  }

  /** This node has begun to lead the slot. */
  begun({ contents }: LedSlot, nowMs: number): void {
    const { table } = this.#parts;
    table.dropSlot(contents.slot);
    if (contents.digestOf(LEASE_KEEPER) === undefined) return;
    for (const datum of contents.datums.values()) {
      const [first] = datum.registrations(({ session }) => session === LEASE_KEEPER);
      if (first === undefined) continue;
      for (const one of datum.marked())
        if (isKeptByLease(one)) table.put(one, { slot: contents.slot, nowMs, isDoubtful: true });
    }
  }

  /** Heartbeats that have come to a session. */
  renew({ batch, renewals, elsewhere = [] }: Renew, nowMs: number): Renewed {
    const { table, clock } = this.#parts;
    for (const slot of elsewhere) table.doubt(slot);
    const [unknown, later]: [number[], number[]] = [[], []];
    const changed = new Map<Datum, Changed>();
    const time = clock.read(nowMs);
    for (const [at, { serviceKey, registId, ageMs, health, version }] of renewals.entries()) {
      const lease = table.find(serviceKey, registId);
      if (lease === undefined || (version !== undefined && this.#isOlder(lease, version))) {
        (this.#isWhole(serviceKey) ? unknown : later).push(at);
        continue;
      }
      lease.renewed = Math.max(lease.renewed, time - ageMs);
      if (health === undefined ? lease.isUnhealthy : health === "unhealthy" && !lease.isUnhealthy) {
        this.#told(lease, health === undefined, { time, changed });
      }
      if (version === undefined && table.isDoubtful(lease) && this.#mayAsk(serviceKey, nowMs)) unknown.push(at);
    }
    this.#count("known", renewals.length - unknown.length - later.length);
    this.#count("unknown", unknown.length);
    this.#count("later", later.length);
    this.#commit(changed, nowMs);
    return { kind: "renewed", batch, unknown, later };
  }

  /** An operator reports that the silent clients of a held service are dead. */
  release(serviceKey: ServiceKey): void {
    const service = this.#parts.table.service(serviceKey);
    if (service !== undefined) this.#parts.silent.release(service);
  }

  /** The time of the next `wake`. */
  nextMs(): number {
    const { table, clock } = this.#parts;
    return Math.min(clock.nextMs(), clock.atMs(table.next()));
  }

  /** Judges the leases that are due, a part of them in each step. */
  wake(nowMs: number): void {
    const { table, clock, intake } = this.#parts;
    clock.wake(nowMs);
    const time = clock.read(nowMs);
    // Nearly always: this is asked in every step.
    if (table.next() > time) return;
    const changed = new Map<Datum, Changed>();
    const removals: PublishItem[] = [];
    for (let left = WORK_PER_STEP; left > 0; left--) {
      const lease = table.take(time);
      if (lease === undefined) break;
      const end = this.#look(lease, time, nowMs);
      if (end === undefined) continue;
      left -= WORK_PER_CHANGE;
      if (!lease.isUnhealthy && lease.terms.unhealthyAfterMs !== undefined) this.#setHealth(end, false, changed);
      else removals.push(removalOf(end));
    }
    this.#commit(changed, nowMs);
    if (removals.length === 0) return;
    this.#metrics.add("roster_leases_ended_total", removals.length);
    intake.take(removals, nowMs);
  }

  /** The session that sends the heartbeat knows a newer version, which has not come here. */
  #isOlder({ service, registId }: KeptLease, version: bigint): boolean {
    const datum = this.#parts.slots.ledSlot(service.slot)?.contents.datums.get(service.serviceKey);
    const held = datum?.registration(registId);
    return held !== undefined && held.version < version;
  }

  /** Counts a client that is asked to register again; false if it is to be asked later. */
  #mayAsk(serviceKey: ServiceKey, nowMs: number): boolean {
    if (!this.#isWhole(serviceKey)) return false;
    if (nowMs >= this.#asked.sinceMs + 1_000) this.#asked = { sinceMs: nowMs, clients: 0 };
    return ++this.#asked.clients <= ASKED_A_SECOND_MAX;
  }

  #count(registration: string, renewals: number): void {
    if (renewals > 0) this.#metrics.add("roster_lease_renewals_total", renewals, { registration });
  }

  /** Whether all registrations of the service that there are are here. */
  #isWhole(serviceKey: ServiceKey): boolean {
    return this.#parts.slots.leading(serviceKey)?.isServing === true;
  }

  /** Returns the place of a lease whose time is over, and lets any other one wait. */
  #look(lease: KeptLease, time: number, nowMs: number): Place | undefined {
    const { table, slots, silent } = this.#parts;
    const { service } = lease;
    const due = dueAt(lease);
    if (due > time) {
      table.wait(lease, due);
      return undefined;
    }
    const led = slots.ledSlot(service.slot);
    const datum = led?.contents.datums.get(service.serviceKey);
    const mayEnd = led?.isServing === true && datum !== undefined;
    if (!mayEnd || silent.holds(lease, datum, { limit: limitOf(lease), time, nowMs })) {
      table.wait(lease, time + LOOK_MS);
      return undefined;
    }
    return { lease, led, datum };
  }

  /** A heartbeat has told a health that is not the one shown; one that comes late says nothing good. */
  #told(
    lease: KeptLease,
    isHealthy: boolean,
    { time, changed }: { readonly time: number; readonly changed: Map<Datum, Changed> },
  ): void {
    const { unhealthyAfterMs } = lease.terms;
    if (isHealthy && unhealthyAfterMs !== undefined && lease.renewed + unhealthyAfterMs <= time) return;
    const led = this.#parts.slots.ledSlot(lease.service.slot);
    const datum = led?.contents.datums.get(lease.service.serviceKey);
    if (led !== undefined && datum !== undefined) this.#setHealth({ lease, led, datum }, isHealthy, changed);
  }

  #setHealth({ lease, led, datum }: Place, isHealthy: boolean, changed: Map<Datum, Changed>): void {
    const { registId } = lease;
    this.#parts.table.setUnhealthy(lease, !isHealthy);
    const condition = withHealth(datum.publication(registId)?.condition, isHealthy);
    const publication = datum.setCondition(registId, condition);
    if (publication === undefined) return;
    const of = changed.get(datum) ?? { led, changes: [], taken: [], isResized: false };
    changed.set(datum, of);
    of.taken.push({ kind: "put", publication });
    if (!datum.isHidden(registId)) of.changes.push({ kind: "put", publication });
  }

  #commit(changed: ReadonlyMap<Datum, Changed>, nowMs: number): void {
    for (const [datum, { led, ...applied }] of changed) this.#parts.commits.commit(led, datum, applied, nowMs);
  }
}

function removalOf({ lease, datum }: Place): PublishItem {
  return leftItem(defined(datum.registration(lease.registId), "a lease ends with its registration"));
}

/** Heartbeats that come say nothing, as before they were missing. */
function withHealth(condition: Condition | undefined, isHealthy: boolean): Condition | undefined {
  const { isHealthy: _, ...rest } = condition ?? {};
  if (!isHealthy) return { ...rest, isHealthy };
  return Object.keys(rest).length === 0 ? undefined : rest;
}
